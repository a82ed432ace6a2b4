import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idleSession } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { Recorder } from '../failure/recorder.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { checkAttachFolder, OWN_EVENT, OWN_LINE } from './attach-folder.ts'
import { attachLogs, MAX_LOG_LENGTH } from './attach-logs.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'testfleet-attach-'))
  folder = join(root, 'logs')
})
afterEach(() => rm(root, { recursive: true }))
const check = (named: string) => checkAttachFolder(named, { workingFolder: root })

const spec = { ready: [], secrets: [], ports: [], authority: undefined }
const record = (...names: string[]): StoredRecord =>
  ({
    ...{ ...idleSession, revision: 1, writers: [] },
    servers: Object.fromEntries(names.map((name) => [name, { ...spec, container: name }])),
  }) as unknown as StoredRecord

/** The engine never sends what follows it. */
const STUCK = '(stuck)'

/** Attaches what these servers have logged; the events are one end. */
function attach(logs: Readonly<Record<string, string>>) {
  const runtime = {
    listServers: async () => Object.keys(logs).map((id) => ({ id, state: 'running', labels: {} })),
    async *followServers() {
      yield { kind: 'exited', server: 'db', id: 'db', exitCode: 3, atMs: 1 }
    },
  }
  const logReader = {
    async *readLogs(id: string, _: object, { signal }: { signal: AbortSignal }) {
      for (const line of (logs[id] ?? '').split(/(?<=\n)/)) {
        if (line === STUCK) await once(signal, 'abort')
        signal.throwIfAborted()
        yield { stream: 'stdout', bytes: Buffer.from(line) }
      }
    },
  }
  const signal = new AbortController().signal
  const tools = {
    runtime: { ...runtime, ...logReader },
    signal,
    recorder: new Recorder(),
    host: currentHost(root),
  } as unknown as Tools
  const causes = [{ rule: 'died', server: 'db', sentence: 'db ended with exit code 3', evidence: [] }] as const
  const toEvent = ({ atMs, server }: { atMs: number; server: string }) => ({ time: String(atMs), server })
  return attachLogs({ folder, toEvent }, { record: record(...Object.keys(logs)), sinceMs: 1, causes }, tools)
}
const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8')

test('a folder gets the log of each server, the events, and what was wrong; again in place of the earlier ones', async () => {
  for (const line of ['one', 'two']) {
    const time = '2026-01-01T00:00:00Z'
    expect(await attach({ db: `${time} ${line}\n`, web: '' })).toEqual({
      ...{ folder, problems: [] },
      logs: { db: [`${time} stdout ${line}`], web: [] },
    })
    expect((await readdir(folder)).sort()).toEqual(['db.log', 'events.jsonl', 'web.log', 'why.txt'])
    expect(await read('db.log')).toBe(`${OWN_LINE}\n${time} stdout ${line}\n`)
    expect(await read('events.jsonl')).toBe(`${OWN_EVENT}\n{"time":"1","server":"db"}\n`)
    expect(await read('why.txt')).toMatch(new RegExp(`^${OWN_LINE}\ndb ended with exit code 3\nsession shop of shop, `))
    expect(await check('logs')).toBe(folder)
  }
})

test('a long log is cut in its middle, and says so', async () => {
  const line = `${'x'.repeat(1_000_000)}\n`
  await attach({ db: `first\n${line.repeat(10)}last\n` })
  const text = await read('db.log')
  expect(text.length).toBeLessThan(MAX_LOG_LENGTH + 1000)
  expect(text).toMatch(/ first\n/)
  expect(text).toMatch(/\n\[\d lines are left out here: the log is longer than 8388608 characters\]\n/)
  expect(text).toMatch(/ last\n$/)
})

test('a log that is sent too slowly is kept as far as it was read, and takes no time from the next', async () => {
  const never = new AbortController().signal
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(never)
  // Asked for the whole, the events, and then for each log.
  for (const one of [never, never, AbortSignal.abort()]) timeout.mockReturnValueOnce(one)
  timeout.mockImplementationOnce(() => {
    const controller = new AbortController()
    setImmediate(() => controller.abort())
    return controller.signal
  })
  const cut = '[the rest is left out: the engine took too long to send it]'
  const { problems, logs } = await attach({ none: 'x\n', db: `one\n${STUCK}`, web: 'all\n' })
  expect(problems).toEqual([])
  expect(logs).toEqual({ none: [cut], db: ['stdout one', cut], web: ['stdout all'] })
  expect(await read('db.log')).toBe(`${OWN_LINE}\nstdout one\n${cut}\n`)
  const [whole = 0, ...shares] = timeout.mock.calls.map(([ms]) => ms)
  timeout.mockRestore()
  for (const [index, share] of shares.entries()) expect(share).toBeLessThanOrEqual(whole / (4 - index))
  expect(shares).toHaveLength(4)
})

test('a file of another kind stays, and a link does not lead out of the folder', async () => {
  await mkdir(folder)
  await writeFile(join(folder, 'db.log'), 'my own\n')
  await writeFile(join(root, 'outside'), `${OWN_LINE}\n`)
  await symlink(join(root, 'outside'), join(folder, 'web.log'))
  const others = {
    json: '{"time":"2026-01-01T00:00:00Z"}\n',
    events: `${OWN_EVENT}\n`,
    empty: '',
    near: `${OWN_LINE}s\n`,
  }
  for (const [name, text] of Object.entries(others)) await writeFile(join(folder, `${name}.log`), text)
  const names = ['db', 'web', ...Object.keys(others)]
  const { problems } = await attach(Object.fromEntries(names.map((name) => [name, 'x\n'])))
  expect(problems).toEqual(names.map((name) => `${name}.log was not written: another file is there`))
  expect(await read('db.log')).toBe('my own\n')
  for (const [name, text] of Object.entries(others)) expect(await read(`${name}.log`)).toBe(text)
  expect(await readFile(join(root, 'outside'), 'utf8')).toBe(`${OWN_LINE}\n`)
})

test('a folder that cannot be used is refused before anything starts', async () => {
  await writeFile(join(root, 'file'), '')
  await mkdir(join(root, 'taken'))
  await writeFile(join(root, 'taken/why.txt'), 'because\n')
  await symlink(join(root, 'nowhere'), join(root, 'taken/events.jsonl'))
  const refused = (why: string) => expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(why) })
  await expect(check('')).rejects.toEqual(refused('logs cannot be attached in "": it is not the name of a folder'))
  await expect(check('file')).rejects.toEqual(refused('it is a file'))
  await expect(check('file/logs')).rejects.toEqual(refused('a folder of its path is a file'))
  await expect(check('taken')).rejects.toEqual(refused('another file why.txt is there'))
  await rm(join(root, 'taken/why.txt'))
  await expect(check('taken')).rejects.toEqual(refused('another file events.jsonl is there'))
  for (const text of ['', '{"time":"2026-01-01T00:00:00Z","kind":"up"}\n', `${OWN_LINE}\n`]) {
    await rm(join(root, 'taken/events.jsonl'))
    await writeFile(join(root, 'taken/events.jsonl'), text)
    await expect(check('taken')).rejects.toEqual(refused('another file events.jsonl is there'))
  }
  await expect(check('\0')).rejects.toEqual(refused('logs cannot be attached'))
  await expect(check('x'.repeat(5000))).rejects.toEqual(refused('its name is too long'))
  await chmod(join(root, 'taken'), 0o500)
  if (process.getuid?.() !== 0) await expect(check('taken/new')).rejects.toEqual(refused('permission denied'))
  expect(await check('new/deeper')).toBe(join(root, 'new/deeper'))
})
