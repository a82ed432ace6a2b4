import { describe, expect, test } from 'vitest'
import { followServers } from './follow-servers.ts'
import type { FollowRange } from './model/container-event.ts'
import { TestfleetError } from './model/failures.ts'
import type { ServerChange } from './runtime/runtime.ts'
import type { StoredRecord } from './sessions/store.ts'

const change = (atMs: number): ServerChange => ({ kind: 'started', server: 'web', id: 'c1', atMs })
const lost = new TestfleetError('ENGINE_LOST', 'the engine has gone')

type Stream = (range: FollowRange, signal: AbortSignal) => AsyncGenerator<ServerChange>

/** An engine whose streams, and whose answers about the session, come one after the other. */
function play(streams: readonly Stream[], isThere: () => boolean, sinceMs?: number) {
  const ranges: FollowRange[] = []
  const abort = new AbortController()
  const tools = {
    signal: abort.signal,
    runtime: {
      followServers(_: string, range: FollowRange, { signal }: { readonly signal: AbortSignal }) {
        const stream = streams[Math.min(ranges.length, streams.length - 1)] as Stream
        ranges.push(range)
        return stream(range, signal)
      },
    },
    sessions: { find: async () => (isThere() ? ({} as StoredRecord) : undefined) },
  } as unknown as Parameters<typeof followServers>[2]
  return { ranges, abort, changes: followServers({ id: 's1' }, sinceMs, tools) }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted()
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

async function timesOf(changes: AsyncIterable<ServerChange>): Promise<number[]> {
  const times: number[] = []
  for await (const { atMs } of changes) times.push(atMs)
  return times
}

describe.concurrent('following servers', () => {
  test('ends once the session is gone, after the events that were not read by then', async () => {
    let isThere = true
    const { changes, ranges } = play(
      [
        async function* (_, signal) {
          yield change(1)
          isThere = false
          await untilAborted(signal)
        },
        async function* () {
          yield change(1)
          yield change(2)
        },
      ],
      () => isThere,
    )
    expect(await timesOf(changes)).toEqual([1, 2])
    expect(ranges).toEqual([
      { sinceMs: undefined, untilMs: undefined },
      { sinceMs: 1, untilMs: expect.any(Number) },
    ])
  })

  test('goes on after the last event when the stream breaks, and repeats none', async () => {
    const { changes, ranges } = play(
      [
        async function* () {
          yield change(7)
          throw lost
        },
        async function* () {
          yield change(7)
          yield change(8)
          throw new Error('a bug')
        },
      ],
      () => true,
      5,
    )
    await expect(timesOf(changes)).rejects.toThrow('a bug')
    expect(ranges.map(({ sinceMs }) => sinceMs)).toEqual([5, 7])
  })

  test('fails with ENGINE_LOST when nobody answers about the session any more', async () => {
    const { changes } = play(
      [
        async function* (_, signal) {
          yield await untilAborted(signal)
        },
      ],
      () => {
        throw lost
      },
    )
    await expect(timesOf(changes)).rejects.toBe(lost)
  })

  test('rejects with the reason of its signal, and stops when its reader leaves', async () => {
    const stream: Stream = async function* (_, signal) {
      yield change(1)
      await untilAborted(signal)
    }
    const aborted = play([stream], () => true)
    const reading = timesOf(aborted.changes)
    aborted.abort.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    for await (const { atMs } of play([stream], () => true).changes) {
      expect(atMs).toBe(1)
      break
    }
  })
})
