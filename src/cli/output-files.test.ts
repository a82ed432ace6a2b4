import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { afterAll, describe, expect, test } from 'vitest'
import { EventHub } from '../api/event-hub.ts'
import { currentHost } from '../current-host.ts'
import { resolveArchive } from '../failure/archive-path.ts'
import { openTimeline } from '../timeline/timeline.ts'
import type { Call } from './call.ts'
import { refuseSameOutput } from './same-output.ts'
import { run as runSbom } from './sbom.ts'
import { run as runTypes } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'outputs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const host = { ...currentHost(), workingFolder: folder }
const { signal } = new AbortController()

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return name
}

const fleetFile = 'name: shop\nservers:\n  web: { image: debian }\n'

function callWith(output: string): Call {
  const printed = { write() {}, writeData() {}, tell() {}, onEvent() {}, endProgress() {} }
  return {
    ...{ name: 'sbom', file: undefined, session: undefined, engine: 'unix:///nowhere', json: false, quiet: false },
    ...{ verbose: false, color: undefined, options: { output }, servers: ['web'], command: [], ignored: [] },
    ...{ host, signal, hub: new EventHub(), output: printed },
  } as unknown as Call
}

const archiveOf = async (name: string): Promise<Buffer> =>
  gzipSync(await packTar([{ header: { name, type: 'directory', size: 0 } }]))

describe('a file that a call writes', () => {
  test('never replaces a file of another kind, such as the fleet file', async () => {
    put('testfleet.yaml', fleetFile)
    put('fleet.d.ts', 'export {}\n')
    put('backup.tar.gz', await archiveOf('home/'))
    put('page.html', '<!doctype html><title>My page</title>')
    put('trace.json', '{"traceEvents":[]}')
    const refusals: [string, string, () => Promise<unknown>][] = [
      ...['testfleet.yaml', 'page.html', 'trace.json'].map((name): [string, string, () => Promise<unknown>] => [
        'the timeline',
        name,
        () => openTimeline('up', [name], host),
      ]),
      ['the failure bundle', 'testfleet.yaml', () => resolveArchive('testfleet.yaml', host)],
      ['the failure bundle', 'backup.tar.gz', () => resolveArchive('backup.tar.gz', host)],
      ['the bill of materials', 'testfleet.yaml', () => runSbom(callWith('testfleet.yaml'))],
      ['the declaration', 'fleet.d.ts', () => runTypes(callWith('fleet.d.ts'))],
    ]
    for (const [what, name, write] of refusals) {
      const message = `${what} cannot be written to "${name}": another file is there`
      await expect(write()).rejects.toMatchObject({ code: 'USAGE', message })
    }
    expect(readFileSync(join(folder, 'testfleet.yaml'), 'utf8')).toBe(fleetFile)
  })

  test('is refused before the work if its folder is missing, is a file, or is read-only', async () => {
    put('a-file', '')
    mkdirSync(join(folder, 'locked'), { mode: 0o555 })
    const isRoot = process.getuid?.() === 0
    for (const name of ['missing/x', 'a-file/x', ...(isRoot ? [] : ['locked/x'])]) {
      const refusal = { code: 'USAGE', message: expect.stringMatching(/ cannot be written/) }
      // There is no engine at the address of the call: it is not asked first.
      await expect(runSbom(callWith(name)), name).rejects.toMatchObject(refusal)
      await expect(resolveArchive(name, host), name).rejects.toMatchObject(refusal)
      await expect(openTimeline('up', [`${name}.html`], host), name).rejects.toMatchObject(refusal)
    }
  })

  test('replaces an empty file, and one that an earlier call wrote', async () => {
    for (const name of ['t.html', 't.json']) {
      const timeline = await openTimeline('up', [put(name, '')], host)
      expect(await timeline.write({ outcome: 'ok', message: undefined }, (text) => text)).toEqual([])
      await openTimeline('up', [name], host)
    }
    for (const content of ['', await archiveOf('testfleet-up-1/')])
      expect(await resolveArchive(put('b.tar.gz', content), host)).toBe(join(folder, 'b.tar.gz'))
  })

  test('is another one for each option', () => {
    expect(() => refuseSameOutput({ events: 'x/../t', bundle: undefined, timeline: ['a', './t'] }, folder)).toThrow(
      '--events and --timeline name the same file, "./t"',
    )
    refuseSameOutput({ events: 'e', bundle: 'b', timeline: ['a', 'a'] }, folder)
  })

  test('is none of those that a folder for logs gets', () => {
    for (const events of ['logs/events.jsonl', './logs/x/../why.txt', 'logs/db.log'])
      expect(() => refuseSameOutput({ events, 'attach-logs': 'logs/' }, folder), events).toThrow(
        /^--events and --attach-logs name the same file, "logs\//,
      )
    refuseSameOutput({ events: 'logs/all.jsonl', bundle: 'db.log', 'attach-logs': 'logs' }, folder)
  })

  test.skipIf(process.platform === 'win32')('is another one also when links lead to it', () => {
    put('there', '')
    for (const [name, target] of [
      ['to-there', 'there'],
      ['to-new', 'new'],
      ['to-folder', '.'],
      ['to-itself', 'to-itself'],
    ] as const)
      symlinkSync(target, join(folder, name))
    for (const [timeline, bundle] of [
      ['there', 'to-there'],
      ['new', 'to-new'],
      ['new', 'to-folder/to-new'],
      ['missing/../new', 'to-folder/new'],
      ['to-itself', './to-itself'],
    ] as const)
      expect(() => refuseSameOutput({ timeline, bundle }, folder), bundle).toThrow('name the same file')
    refuseSameOutput({ timeline: 'there', bundle: 'to-new', events: 'to-folder/other' }, folder)
    refuseSameOutput({ timeline: 'no-folder/a', bundle: 'no-folder/b' }, folder)
  })
})
