import { execFileSync } from 'node:child_process'
import { constants, lchownSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { open as openFile, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestfleetEvent } from '../api/events.ts'
import { openEventFile } from './event-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'testfleet-events-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const never = new AbortController().signal
const open = (file: string, signal = never) =>
  openEventFile(file, { workingFolder: folder, userId: process.getuid?.() }, signal)

function warning(message: string): TestfleetEvent {
  const operation = { id: '1', name: 'up' }
  return { time: '2026-01-01T00:00:00.000Z', session: 'shop', operation, kind: 'warning', data: { message } }
}

const linesOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).data.message)

describe('a file of events', () => {
  test('is readable only by its user, and the next call appends to it', async () => {
    for (const message of ['one', 'two\u001b[2J']) {
      const file = await open('new.ndjson')
      file.onEvent(warning(message))
      expect(await file.close()).toBeUndefined()
    }
    const text = readFileSync(join(folder, 'new.ndjson'), 'utf8')
    expect(linesOf(text)).toEqual(['one', 'two\u001b[2J'])
    expect(text).not.toContain('\u001b')
    expect(statSync(join(folder, 'new.ndjson')).mode & 0o777).toBe(0o600)
  })

  test('can be a link of the same user, but not of another user', async () => {
    writeFileSync(join(folder, 'target'), '')
    symlinkSync('target', join(folder, 'link'))
    const file = await open('link')
    file.onEvent(warning('one'))
    await file.close()
    expect(linesOf(readFileSync(join(folder, 'target'), 'utf8'))).toEqual(['one'])
    if (process.getuid?.() !== 0) return
    lchownSync(join(folder, 'link'), 65534, 65534)
    await expect(open('link')).rejects.toMatchObject({
      code: 'USAGE',
      message: 'events cannot be written to "link": it is a link of another user',
    })
  })

  test.each([
    ['', 'it is not a file name'],
    ['.', 'illegal operation on a directory'],
    ['missing/x', 'no such file or directory'],
  ])('is refused if it cannot be opened: %j', async (name, why) => {
    const message = `events cannot be written to ${JSON.stringify(name)}: ${why}`
    await expect(open(name)).rejects.toMatchObject({ code: 'USAGE', message })
  })

  test('is refused if it has something other than events, and extended if it has events', async () => {
    const message = 'events cannot be written to "testfleet.yaml": it has something other than events'
    writeFileSync(join(folder, 'testfleet.yaml'), 'name: shop\n')
    await expect(open('testfleet.yaml')).rejects.toMatchObject({ code: 'USAGE', message })
    expect(readFileSync(join(folder, 'testfleet.yaml'), 'utf8')).toBe('name: shop\n')
    for (const name of ['one', 'two']) {
      const file = await open('twice')
      file.onEvent(warning(name))
      await file.close()
    }
    expect(linesOf(readFileSync(join(folder, 'twice'), 'utf8'))).toEqual(['one', 'two'])
  })

  test('is reported at the end when the disk is full, and the call continues', async () => {
    const file = await open('/dev/full')
    file.onEvent(warning('one'))
    file.onEvent(warning('two'))
    expect(await file.close()).toBe('no space left on device')
  })
})

describe('a FIFO', () => {
  const makeFifo = (name: string): string => {
    execFileSync('mkfifo', [join(folder, name)])
    return join(folder, name)
  }

  test('receives each event, even if its reader opens it later', async () => {
    const path = makeFifo('fifo')
    const opening = open('fifo')
    const reading = readFile(path, 'utf8')
    const file = await opening
    const many = Array.from({ length: 2000 }, (_, number) => `${number} ${'x'.repeat(100)}`)
    for (const message of many) file.onEvent(warning(message))
    expect(await file.close()).toBeUndefined()
    expect(linesOf(await reading)).toEqual(many)
  })

  test('without a reader is waited for until the call is cancelled', async () => {
    makeFifo('lonely')
    const reason = new Error('enough')
    const abort = new AbortController()
    const opening = open('lonely', abort.signal)
    abort.abort(reason)
    await expect(opening).rejects.toBe(reason)
  })

  test('is reported at the end when its reader leaves', async () => {
    const path = makeFifo('left')
    const opening = open('left')
    const reader = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const file = await opening
    await reader.close()
    file.onEvent(warning('one'))
    expect(await file.close()).toBe('broken pipe')
  })
})
