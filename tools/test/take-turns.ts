/** What one of several programs that run side by side prints. */
export interface Output {
  write(text: string): void
  /** Gives the turn to the next. */
  end(): void
}

/**
 * Prints the output of several programs without mixing it: the first prints as it runs; the text of the others waits until
 * all programs before them have ended.
 */
export function takeTurns(count: number, print: (text: string) => void): readonly Output[] {
  const waiting = Array.from({ length: count }, () => '')
  const hasEnded = Array.from({ length: count }, () => false)
  let turn = 0
  const advance = (): void => {
    while (hasEnded[turn]) {
      turn++
      print(waiting[turn] ?? '')
    }
  }
  return waiting.map((_, index) => ({
    write(text) {
      if (index === turn) print(text)
      else waiting[index] += text
    },
    end() {
      hasEnded[index] = true
      advance()
    },
  }))
}
