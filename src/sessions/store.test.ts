import { describe, expect, test } from 'vitest'
import { openMemory, idleSession as record } from '../../tests/support/memory-records.ts'
import type { StoredText } from '../runtime/runtime.ts'
import { readRecords } from './store.ts'

describe('the store of records', () => {
  test('returns what it stored, and keeps only one revision', async () => {
    const { stored, open } = openMemory()
    const store = open()
    const first = await store.create(record)
    const second = await store.replace(first, { ...first, name: 'renamed' })
    expect(second).toMatchObject({ ...record, name: 'renamed', revision: 2 })
    expect(await store.find(record.id)).toEqual(second)
    expect(stored.size).toBe(1)
  })

  test('accepts only one of several calls that replace the same revision', async () => {
    const { open } = openMemory()
    const store = open()
    const first = await store.create(record)
    const results = await Promise.all(['a', 'b', 'c'].map((name) => store.replace(first, { ...first, name })))
    const won = results.filter((result) => result !== undefined)
    expect(won).toHaveLength(1)
    expect((await store.find(record.id))?.name).toBe(won[0]?.name)
  })

  test('refuses to replace a revision that has been replaced twice since', async () => {
    const { stored, open } = openMemory()
    const store = open()
    const first = await store.create(record)
    const second = await store.replace(first, { ...first, name: 'b' })
    await store.replace(second ?? first, { ...first, name: 'c' })
    expect(await store.replace(first, { ...first, name: 'late' })).toBeUndefined()
    expect((await store.find(record.id))?.name).toBe('c')
    expect(stored.size).toBe(1)
  })

  test('does not restore a session that was removed in the meantime', async () => {
    const { stored, open } = openMemory()
    const store = open()
    const first = await store.create(record)
    await store.remove(record.id)
    expect(await store.replace(first, { ...first, name: 'late' })).toBeUndefined()
    expect(stored.size).toBe(0)
  })

  test('leaves nothing of a session that is removed and replaced at once, in any order of requests', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { stored, open } = openMemory()
      const pause = () => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * 3))
      const first = await open().create(record)
      await Promise.all([open(pause).replace(first, { ...first, name: 'late' }), open(pause).remove(record.id)])
      expect([...stored.keys()]).toEqual([])
    }
  })

  test('loses none of several concurrent updates, in any order of requests', async () => {
    const { stored, open } = openMemory()
    // Requests of the writers interleave at random.
    const writers = Array.from({ length: 8 }, () =>
      open(() => new Promise((resolve) => setTimeout(resolve, Math.random() * 3))),
    )
    await open().create(record)
    await Promise.all(
      writers.map((store, index) => store.update(record.id, (now) => ({ ...now, name: `${now.name} ${index}` }))),
    )
    const name = (await open().find(record.id))?.name.split(' ').slice(1).sort()
    expect(name).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
    expect(stored.size).toBe(1)
  })

  test('removes what a dead writer has left, and nothing of concurrent writers', async () => {
    const { stored, open } = openMemory()
    const first = await open().create(record)
    const [left] = stored
    await open().replace(first, { ...first, name: 'second' })
    if (left !== undefined) stored.set(...left)
    let calls = 0
    const writing = open(async () => {
      // Between a write and the check whether it counts.
      if (++calls === 3) await open().tidy(record.id)
    })
    expect(await writing.update(record.id, (now) => ({ ...now, name: 'third' }))).toMatchObject({ name: 'third' })
    expect((await open().find(record.id))?.name).toBe('third')
    expect(stored.size).toBe(1)
  })
})

describe('a record', () => {
  const stored = (text: string): StoredText => ({ session: record.id, revision: 1, writer: 'w', text, createdAtMs: 7 })
  const lists = { aliases: [], dependsOn: [], ports: [], ready: [], secrets: [] }
  const web = { container: 'c', hostname: 'h', ...lists, export: {} }
  const withServer = (keys: object): string =>
    JSON.stringify({ ...record, format: 1, servers: { web: { ...web, ...keys } } })
  const by = { machine: record.machine, process: { pid: 1, startedAt: '' } }
  const change = { id: 'c', by, isFirst: true, stage: 'making', replaced: [], starting: { web } }

  test('is read with its servers, and those being started', () => {
    const text = JSON.stringify({ ...record, format: 1, change, servers: { web: { ...web, secretDigest: 'a:b' } } })
    expect(readRecords([stored(text)]).sessions).toMatchObject([{ servers: { web }, change }])
  })

  test.each([
    ['no JSON', '{'],
    ['another format', JSON.stringify({ ...record, format: 2 })],
    ['another id', JSON.stringify({ ...record, format: 1, id: 'ffffffff' })],
    ['an unknown lifetime', JSON.stringify({ ...record, format: 1, lifetime: { kind: 'whim' } })],
    ['invalid holders', JSON.stringify({ ...record, format: 1, lifetime: { kind: 'held', holders: [{}] } })],
    ['a server without a container', JSON.stringify({ ...record, format: 1, servers: { web: {} } })],
    ['a fingerprint that is a path', withServer({ authority: { fingerprint: '../../x', endsAtMs: 1 } })],
    ['an export that is not text', withServer({ export: { A: { b: 1 } } })],
    ['a digest of secrets that is not text', withServer({ secretDigest: ['x'] })],
    [
      'an invalid server that is being started',
      JSON.stringify({ ...record, format: 1, change: { ...change, starting: { web: {} } } }),
    ],
  ])('with %s is left alone', (_, text) => {
    expect(readRecords([stored(text)])).toEqual({ sessions: [], unreadable: [{ id: record.id, createdAtMs: 7 }] })
  })

  test('is the newest of its revisions', () => {
    const texts = [1, 3, 2].map((revision) => ({
      ...stored(JSON.stringify({ ...record, format: 1, name: `n${revision}` })),
      revision,
    }))
    expect(readRecords(texts).sessions).toMatchObject([{ name: 'n3', revision: 3 }])
  })
})
