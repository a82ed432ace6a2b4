import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plainContainer } from '../../../model/container.ts'
import type { LogRequest } from '../../engine.ts'
import { rootMachine } from '../programs.ts'
import { openStore } from '../store.ts'
import { readLogs } from './read-logs.ts'

const id = 'a'.repeat(64)
let folder = ''
let log = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'testfleet-logs-'))
  mkdirSync(join(folder, 'containers', id), { recursive: true })
  const record = { id, name: 'web', imageId: '', createdAtMs: 0, labels: {}, ownVolumes: {}, spec: plainContainer }
  writeFileSync(join(folder, 'containers', id, 'container.json'), JSON.stringify(record))
  log = join(folder, 'containers', id, 'log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (request: LogRequest, signal?: AbortSignal) => {
  const local = { store: openStore(folder), machine: rootMachine, runtime: async () => 'runc' }
  return readLogs(local, id, request, { signal })
}

async function read(request: Partial<LogRequest> = {}): Promise<{ stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  for await (const { stream, bytes } of open({ follow: false, ...request })) {
    said[stream] += Buffer.from(bytes).toString('latin1')
  }
  return said
}

const line = (second: number, rest: string) => `2026-01-02T03:04:0${second}.123456789+02:00 ${rest}\n`
const mixed = [
  line(1, 'stdout F one'),
  line(2, 'stdout P begin-'),
  line(3, 'stderr F wrong'),
  line(4, 'stdout P middle-'),
  line(5, 'stdout F end'),
  line(6, 'stderr P no line feed'),
].join('')

test('parts of lines are joined, and the last line may have no end', async () => {
  writeFileSync(log, mixed)
  expect(await read()).toEqual({ stdout: 'one\nbegin-middle-end\n', stderr: 'wrong\nno line feed' })
})

test.each([
  [0, '', ''],
  [1, '', 'no line feed'],
  [2, 'begin-middle-end\n', 'no line feed'],
  [3, 'begin-middle-end\n', 'wrong\nno line feed'],
  [9, 'one\nbegin-middle-end\n', 'wrong\nno line feed'],
])('the last %i lines are whole lines of both streams', async (tail, stdout, stderr) => {
  writeFileSync(log, mixed)
  expect(await read({ tail })).toEqual({ stdout, stderr })
})

test('the last lines of a long log are found from its end', async () => {
  const long = Array.from({ length: 50_000 }, (_, i) => line(1, `stdout F ${'x'.repeat(i % 50)} ${i}`)).join('')
  writeFileSync(log, long)
  expect((await read({ tail: 2 })).stdout).toMatch(/^x+ 49998\nx+ 49999\n$/)
  expect((await read()).stdout.split('\n')).toHaveLength(50_001)
})

test('every byte is kept, and what is not whole yet waits', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter((byte) => byte !== 0x0a))
  writeFileSync(
    log,
    Buffer.concat([Buffer.from(line(1, 'stdout P ').trimEnd()), Buffer.from(' '), bytes, Buffer.from('\n')]),
  )
  appendFileSync(log, '2026-01-02T03:04:05.1+00:00 stdout F not who')
  expect((await read()).stdout).toBe(bytes.toString('latin1'))
})

test('times are in UTC, once for each line, and limit what is read', async () => {
  writeFileSync(log, mixed)
  const { stdout } = await read({ timestamps: true })
  expect(stdout).toBe('2026-01-02T01:04:01.123456789Z one\n2026-01-02T01:04:02.123456789Z begin-middle-end\n')
  expect((await read({ sinceMs: Date.parse('2026-01-02T01:04:02Z') })).stdout).toBe('begin-middle-end\n')
  expect((await read({ sinceMs: Date.parse('2026-01-02T01:04:04Z') })).stdout).toBe('')
})

test('a container that has not run has an empty log; one that is followed waits, and ends when it is removed', async () => {
  expect(await read()).toEqual({ stdout: '', stderr: '' })
  const following = read({ follow: true })
  writeFileSync(log, '')
  for (let i = 0; i < 300; i++) {
    appendFileSync(log, line(1, `stdout F ${i}`))
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  rmSync(join(folder, 'containers', id, 'container.json'))
  expect((await following).stdout.trim().split('\n')).toEqual(Array.from({ length: 300 }, (_, i) => String(i)))
})

test('an abort ends the wait with its reason', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const next = open({ follow: true }, abort.signal).next()
  setImmediate(() => abort.abort(reason))
  await expect(next).rejects.toBe(reason)
})
