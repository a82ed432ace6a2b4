import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { LogRequest } from '../../engine/engine.ts'
import { LogWriter } from './log-writer.ts'
import { readLog } from './read-log.ts'

const root = mkdtempSync(join(tmpdir(), 'process-log-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

function open(maxFileBytes?: number) {
  const folder = mkdtempSync(join(root, `${++count}-`))
  return { folder, log: new LogWriter(folder, maxFileBytes) }
}

async function* nothing(): AsyncGenerator<undefined, void, void> {}

async function read(folder: string, request: Partial<LogRequest> = {}, changes = nothing) {
  const output = { stdout: '', stderr: '' }
  for await (const { stream, bytes } of readLog(folder, { follow: false, ...request }, changes)) {
    output[stream] += Buffer.from(bytes).toString('latin1')
  }
  return output
}

describe('the log of a process', () => {
  test('has the lines of both streams, however they arrive, and a last line without an end', async () => {
    const { folder, log } = open()
    for (const part of ['one\ntw', 'o\n\nthr', 'ee']) log.write('stdout', Buffer.from(part))
    log.write('stderr', Buffer.from('bad\n'))
    expect(await read(folder)).toEqual({ stdout: 'one\ntwo\n\n', stderr: 'bad\n' })
    log.flush()
    log.flush()
    expect(await read(folder)).toEqual({ stdout: 'one\ntwo\n\nthree', stderr: 'bad\n' })
  })

  test('is empty before the first line, and when its folder is gone', async () => {
    const { folder } = open()
    expect(await read(folder)).toEqual({ stdout: '', stderr: '' })
    expect(await read(join(folder, 'nowhere'))).toEqual({ stdout: '', stderr: '' })
  })

  test('has the time of each line, once for a line that was written in parts', async () => {
    const { folder, log } = open()
    log.write('stdout', Buffer.from('a\r\n\nb\n'), 0)
    for (const part of ['x'.repeat(20_000), 'x'.repeat(20_000), '\nc\n']) log.write('stdout', Buffer.from(part), 1500)
    const { stdout } = await read(folder, { timestamps: true })
    expect(stdout.replace(/x+/, 'x')).toBe(
      '1970-01-01T00:00:00.000Z a\r\n1970-01-01T00:00:00.000Z \n1970-01-01T00:00:00.000Z b\n1970-01-01T00:00:01.500Z x\n1970-01-01T00:00:01.500Z c\n',
    )
    expect(stdout).toContain('x'.repeat(40_000))
  })

  test('can be read from a time on, and from one of its last lines on', async () => {
    const { folder, log } = open()
    log.write('stdout', Buffer.from('1\n2\n3\n'), 3000)
    for (const line of [4, 5]) log.write('stdout', Buffer.from(`${line}\n`), line * 1000)
    log.write('stdout', Buffer.from('end'), 6000)
    log.flush(6000)
    expect((await read(folder, { sinceMs: 4000 })).stdout).toBe('4\n5\nend')
    expect((await read(folder, { tail: 2 })).stdout).toBe('5\nend')
    expect((await read(folder, { tail: 4 })).stdout).toBe('3\n4\n5\nend')
    expect((await read(folder, { tail: 0 })).stdout).toBe('')
    expect((await read(folder, { tail: 100 })).stdout).toBe('1\n2\n3\n4\n5\nend')
    expect((await read(folder, { tail: 3, sinceMs: 5000 })).stdout).toBe('5\nend')
  })

  test('is kept in two files of a limited size, and keeps the newest lines', async () => {
    const { folder, log } = open(1000)
    for (let line = 0; line < 500; line += 1) log.write('stdout', Buffer.from(`line ${line}\n`))
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size)
    expect(sizes).toHaveLength(2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000)
    const { stdout } = await read(folder)
    expect(stdout.endsWith('line 498\nline 499\n')).toBe(true)
    expect(stdout.startsWith('line ')).toBe(true)
  })

  test('can be followed across its files, by a reader that is slower than the program', async () => {
    const { folder, log } = open(1000)
    async function* changes() {
      for (let line = 0; line < 300; line += 1) {
        log.write('stdout', Buffer.from(`line ${line}\n`))
        if (line % 10 === 0) yield
      }
    }
    const { stdout } = await read(folder, { follow: true }, changes as typeof nothing)
    expect(stdout.split('\n')).toEqual([...Array.from({ length: 300 }, (_, line) => `line ${line}`), ''])
  })

  test('loses lines when it cannot be written, and ends nothing', async () => {
    const { folder, log } = open()
    rmSync(folder, { recursive: true })
    log.write('stdout', Buffer.from('lost\n'))
    log.flush()
    expect(await read(folder)).toEqual({ stdout: '', stderr: '' })
  })
})
