/** Output of one of several parallel programs. */
export interface Output {
  write(text: string): void
  /** Passes the turn to the next program. */
  end(): void
}

/**
 * Prints the output of several parallel programs without mixing it: the first prints at once, the text of the others
 * waits until all before them have ended.
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
