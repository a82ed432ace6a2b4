import { TestfleetError } from '../../model/failures.ts'
import type { EngineLocation } from '../engine.ts'
import { tooNew } from './negotiate.ts'

/** An answer that is an error, as the verb that got it sees it. */
export interface Refusal {
  readonly status: number
  /** The engine's own message, cleaned up. */
  readonly words: string
}

/** A refusal that nobody has a special word for, with its status for who decides whether to ask again. */
export class Refused extends TestfleetError {
  readonly status: number

  constructor({ status, words }: Refusal) {
    super(status === 404 ? 'NOT_FOUND' : 'ENGINE_REFUSED', words)
    this.status = status
  }
}

/** The failure of a refusal that the verb has no special word for. */
export function failureOf(refusal: Refusal, location: EngineLocation): TestfleetError {
  const minimum = /client version \S+ is too old\. Minimum supported API version is (1\.\d+)/i.exec(refusal.words)
  if (minimum !== null) return tooNew(location, minimum[1] ?? '')
  return new Refused(refusal)
}

/** Reads the body of an error: Docker's and Podman's JSON, a proxy's HTML, or plain text. */
export function readRefusal(status: number, body: string): Refusal {
  return { status, words: cleanWords(messageIn(body)) || `the engine answered HTTP ${status}` }
}

function messageIn(body: string): string {
  if (/^\s*</.test(body)) return ''
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string') {
      return value.message
    }
    return ''
  } catch {
    return body
  }
}

/** The engine's words without what only its own command needs, fit for one paragraph of a terminal. */
export function cleanWords(text: string): string {
  return (
    text
      .replace(/^(?:Error response from daemon: |Error: )+/i, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a program prints must not steer the terminal
      .replace(/\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
      .trim()
      .slice(0, 2000)
  )
}
