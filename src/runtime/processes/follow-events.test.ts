import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { ServerChange } from '../runtime.ts'
import { EventFile } from './event-file.ts'
import { followEvents, mergeChanges } from './follow-events.ts'

const root = mkdtempSync(join(tmpdir(), 'process-events-'))
afterAll(() => rmSync(root, { recursive: true }))

const change = (server: string, atMs: number): ServerChange => ({ kind: 'started', server, id: server, atMs })

async function* from(...changes: readonly ServerChange[]): AsyncGenerator<ServerChange, void, void> {
  yield* changes
}

async function collect(changes: AsyncIterable<ServerChange>): Promise<ServerChange[]> {
  const collected: ServerChange[] = []
  for await (const one of changes) collected.push(one)
  return collected
}

/** The files that this process has open. Empty where the system does not tell. */
function openFiles(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      // The folder itself, while it was listed.
      return []
    }
  })
}

describe('events of processes', () => {
  test('are read from a time on, and up to one', async () => {
    const file = join(root, 'events')
    for (const atMs of [1, 2, 3, 4]) appendFileSync(file, `${JSON.stringify(change('app', atMs))}\n`)
    expect(await collect(followEvents(new EventFile(file), { sinceMs: 2, untilMs: 3 }, undefined))).toEqual([
      change('app', 2),
      change('app', 3),
    ])
    expect(
      await collect(followEvents(new EventFile(join(root, 'none')), { sinceMs: 0, untilMs: 3 }, undefined)),
    ).toEqual([])
  })

  test('are followed from now on, also in a file that does not exist yet, and a line in parts is waited for', async () => {
    const file = join(root, 'later')
    const stop = new AbortController()
    const changes = followEvents(new EventFile(file), {}, stop.signal)
    const first = changes.next()
    const line = `${JSON.stringify(change('app', 1))}\n`
    appendFileSync(file, line.slice(0, 10))
    appendFileSync(file, line.slice(10))
    expect((await first).value).toEqual(change('app', 1))
    stop.abort(new Error('enough'))
    await expect(changes.next()).rejects.toThrow('enough')
  })

  test('are followed although a line of the file is broken', async () => {
    const path = join(root, 'broken')
    appendFileSync(path, `${JSON.stringify(change('app', 1))}\n{"kind":"sta\n${JSON.stringify(change('app', 2))}\n`)
    const all = await collect(followEvents(new EventFile(path), { sinceMs: 0, untilMs: 9 }, undefined))
    expect(all).toEqual([change('app', 1), change('app', 2)])
  })

  test('can be read after the file has gone with its session', async () => {
    const path = join(root, 'ended')
    const append = (atMs: number): void => appendFileSync(path, `${JSON.stringify(change('app', atMs))}\n`)
    append(1)
    const file = new EventFile(path)
    const stop = new AbortController()
    const changes = followEvents(file, { sinceMs: 0 }, stop.signal)
    expect((await changes.next()).value).toEqual(change('app', 1))
    append(2)
    rmSync(path)
    stop.abort(new Error('the session has ended'))
    expect(await collect(followEvents(file, { sinceMs: 2, untilMs: 9 }, undefined))).toEqual([change('app', 2)])
    expect(openFiles()).not.toContain(`${path} (deleted)`)
  })
})

describe('events of containers and of processes', () => {
  test('are merged in the order of their times', async () => {
    const merged = mergeChanges(from(change('db', 2), change('db', 4)), from(change('app', 1), change('app', 3)))
    expect((await collect(merged)).map(({ server, atMs }) => [server, atMs])).toEqual([
      ['app', 1],
      ['db', 2],
      ['app', 3],
      ['db', 4],
    ])
  })

  test('have rising times, so that a reader who goes on after the last one misses none', async () => {
    const merged = await collect(mergeChanges(from(change('db', 5), change('db', 2)), from(change('app', 5))))
    const times = merged.map(({ atMs }) => atMs)
    expect(times).toEqual([...new Set(times)].sort((one, other) => one - other))
    expect(times).toHaveLength(3)
  })

  test('of processes arrive although those of containers are silent, and a failure of one source is that of both', async () => {
    const silent: AsyncIterable<ServerChange> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    }
    expect((await mergeChanges(silent, from(change('app', 1))).next()).value).toEqual(change('app', 1))
    const failing: AsyncIterable<ServerChange> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('lost')) }),
    }
    await expect(collect(mergeChanges(failing, silent))).rejects.toThrow('lost')
  })
})
