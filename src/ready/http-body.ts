import type { IncomingMessage } from 'node:http'
import { afterReading } from './after-reading.ts'
import { type Answer, notYet, ready, silent } from './probe.ts'
import { quote } from './protocols/conversation.ts'

const MAX_BODY_BYTES = 1024 * 1024

/**
 * Searches the body for a text while it arrives, as it may never end. `word` makes the answer for a body without the text.
 * Keeps no more of the body than the length of the text.
 */
export async function findInBody(
  response: IncomingMessage,
  text: string,
  quietMs: number,
  signal: AbortSignal,
  word: (where: string) => string,
): Promise<Answer> {
  const wanted = Buffer.from(text)
  let end: Buffer = Buffer.alloc(0)
  let size = 0
  const quiet = new AbortController()
  const waitForMore = () =>
    afterReading(quietMs, () => {
      quiet.abort()
      response.destroy()
    })
  let stopClock = waitForMore()
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      end = Buffer.concat([end, chunk])
      if (end.includes(wanted)) return ready
      end = end.subarray(Math.max(0, end.length - wanted.length + 1))
      size += chunk.length
      if (size > MAX_BODY_BYTES) return notYet(word(`the first ${size} bytes of its body`))
      word(unended(size))
      stopClock()
      stopClock = waitForMore()
    }
    return notYet(word('its body'))
  } catch (error) {
    if (quiet.signal.aborted) return silent(word(unended(size)))
    if (!signal.aborted && isCutOff(error)) return notYet(word('its body, which breaks off'))
    throw error
  } finally {
    stopClock()
  }
}

function unended(size: number): string {
  return `the first ${size} bytes of its body, which has not ended`
}

function isCutOff(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

const QUOTED_BYTES = 2048
const QUOTE_MS = 300

/** Summarises an answer for people: its redirect, the title of a page, or the first line of a text. */
export async function quoteBody(response: IncomingMessage): Promise<string> {
  const { location } = response.headers
  if (location !== undefined) return ` with the location ${quote(location)}`
  const line = findWords(await readStart(response))
  return line === undefined ? '' : `: ${quote(line)}`
}

async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const stopClock = afterReading(QUOTE_MS, () => response.destroy())
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= QUOTED_BYTES) break
    }
  } catch {
    // The received part is quoted.
  } finally {
    stopClock()
  }
  return Buffer.concat(chunks).subarray(0, QUOTED_BYTES).toString('utf8')
}

function findWords(text: string): string | undefined {
  const title = /<title>([^<]*)/i.exec(text)?.[1]?.trim()
  if (title !== undefined && title !== '') return title
  const lines = text.replaceAll(/<[^>]*>/g, ' ').split('\n')
  return lines.map((line) => line.replaceAll(/\s+/g, ' ').trim()).find((line) => line !== '')
}
