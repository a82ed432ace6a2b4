import type { TestfleetError } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import type { ApiCall } from './api-call.ts'
import { notDocker } from './explain-ping.ts'
import { formCall, lost } from './form-call.ts'
import type { DockerLocation } from './location.ts'
import { negotiate, type Spoken } from './negotiate.ts'
import { failureOf, readRefusal } from './refusal.ts'
import { type Repeats, repeat } from './repeat.ts'
import { shareUntilAborted } from './share.ts'
import { type Answer, type Call, openTransport, type Upgraded } from './transport.ts'
import { watchOver } from './watch-over.ts'

/**
 * Docker's API: versions, queries, JSON and refusals. What the calls mean is left to the verbs. A call that is broken
 * off is made again where that is safe.
 */
export interface Client {
  readonly location: DockerLocation
  /** Who answers; asked once, by the first call. */
  spoken(options?: CallOptions): Promise<Spoken>
  object<T extends object>(call: ApiCall): Promise<T>
  list<T extends object>(call: ApiCall): Promise<readonly T[]>
  /** Resolves with the status of an answer without content. */
  done(call: ApiCall): Promise<number>
  /** Resolves with what `read` makes of the answer; where it breaks off, all of it is read again. */
  whole<T>(call: ApiCall, read: (answer: Answer) => Promise<T>): Promise<T>
  /** The answer's body must be iterated, or dropped; where it breaks off, it has. */
  stream(call: ApiCall): Promise<Answer>
  upgrade(call: ApiCall): Promise<Upgraded>
  /** A call's options, with a deadline of so many answers' time, and some more, where the caller sets none. */
  within(options: CallOptions | undefined, answers?: number, moreMs?: number): CallOptions
  close(): void
}

export function openClient(location: DockerLocation, answerTimeoutMs: number): Client {
  const transport = openTransport(location)
  const ping = shareUntilAborted((signal) => negotiate(transport, location, answerTimeoutMs, signal))
  const prepare = async (call: ApiCall, covers: Call['timeoutCovers']): Promise<Call> => {
    const prefix = call.isUnversioned ? '' : `/v${(await ping(call.signal)).api}`
    return formCall(call, prefix, covers, location, watchOver(call, transport, location, answerTimeoutMs))
  }
  const send = async (call: ApiCall, covers: Call['timeoutCovers'], timeoutMs: number | undefined): Promise<Answer> =>
    accept(await transport.send({ ...(await prepare(call, covers)), timeoutMs }), call, location)
  const whole = <T>(call: ApiCall, read: (answer: Answer) => Promise<T>): Promise<T> =>
    repeat(repeatsOf(call), async (timeoutMs) => read(await send(call, 'body', timeoutMs)))
  const json = (call: ApiCall): Promise<unknown> =>
    whole(call, async ({ body }) => parseJson(await readText(body), call, location))
  return {
    location,
    spoken: (options = {}) => ping(options.signal),
    async object<T extends object>(call: ApiCall) {
      const value = await json(call)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongShape(location)
      return value as T
    },
    async list<T extends object>(call: ApiCall) {
      const value = await json(call)
      // Podman 4.3 answers null for an empty list.
      if (value !== null && !Array.isArray(value)) throw wrongShape(location)
      return (value ?? []) as readonly T[]
    },
    done: (call) =>
      whole(call, async ({ body, status }) => {
        // Nothing is left of it when it was a refusal.
        await readText(body)
        return status
      }),
    whole,
    stream: (call) => repeat(repeatsOf(call), (timeoutMs) => send(call, call.isWhole ? 'body' : 'headers', timeoutMs)),
    async upgrade(call) {
      const reply = await transport.upgrade(await prepare(call, 'headers'))
      if (reply.kind === 'upgraded') return reply
      const answer = await accept(reply, call, location)
      answer.drop()
      throw notDocker(location, `it answers HTTP ${reply.status} where it should hand over the connection`)
    },
    within: (options, answers = 1, moreMs = 0) => ({
      signal: options?.signal,
      timeoutMs: options?.timeoutMs ?? answers * answerTimeoutMs + moreMs,
    }),
    close: transport.close,
  }
}

function repeatsOf({ method, isRepeatable = false, signal, timeoutMs }: ApiCall): Repeats {
  const isByNature = method === 'GET' || method === 'DELETE'
  return { isRepeatable: isByNature || isRepeatable, repeatsErrors: isByNature, signal, timeoutMs }
}

/** A path's variable part: slashes are kept, for the engine's routes take image references as they are. */
export function path(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return strings.reduce(
    (whole, part, i) => whole + encodeURIComponent(values[i - 1] ?? '').replaceAll('%2F', '/') + part,
  )
}

/** Docker's `filters` for objects that carry all these labels; an empty value matches any. */
export function labelFilter(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  })
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function accept(answer: Answer, call: ApiCall, location: DockerLocation): Promise<Answer> {
  // 304: it is so already.
  if (answer.status < 300 || answer.status === 304) return answer
  const refusal = readRefusal(answer.status, await readText(answer.body))
  if (call.isFine?.(refusal)) return answer
  throw call.refine?.(refusal) ?? failureOf(refusal, location)
}

function parseJson(text: string, call: ApiCall, location: DockerLocation): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What begins as JSON and is none has lost its end on the way.
    throw /^\s*[[{]/.test(text) ? lost(call, location, 'its answer broke off') : wrongShape(location)
  }
}

function wrongShape(location: DockerLocation): TestfleetError {
  return notDocker(location, 'its answer is not the JSON that was asked for')
}
