import { MAX_LINE_LENGTH } from '../lender/protocol.ts'
import { TestfleetError } from '../model/failures.ts'

/** As JSON, each character of a part may become two: quotes and backslashes are escaped again. */
const PART_LENGTH = Math.floor(MAX_LINE_LENGTH / 3)
const MOST_CHARACTERS = 4 * 1024 ** 2

/** Splits the text of a request that is too long for a line. */
export function splitText(text: string): string[] {
  const count = Math.ceil(text.length / PART_LENGTH)
  return Array.from({ length: count }, (_, index) => text.slice(index * PART_LENGTH, (index + 1) * PART_LENGTH))
}

/** The parts of a request that one client has sent so far. */
export class Parts {
  #text = ''

  /** Fails with USAGE when the request gets too long. */
  add(part: unknown): void {
    if (typeof part !== 'string') throw new TestfleetError('USAGE', '`part` must be a text')
    this.#text += part
    if (this.#text.length <= MOST_CHARACTERS) return
    this.#text = ''
    const limit = `${MOST_CHARACTERS / 1024 ** 2} MiB`
    throw new TestfleetError(
      'USAGE',
      `the fleet and its variables are longer than ${limit}: the lender lends as before until the session is started again`,
    )
  }

  /** Returns the whole request, and forgets it; undefined when there are no parts. */
  take(): unknown {
    const text = this.#text
    this.#text = ''
    if (text === '') return undefined
    try {
      return JSON.parse(text)
    } catch {
      throw new TestfleetError('USAGE', 'the parts are no JSON')
    }
  }
}
