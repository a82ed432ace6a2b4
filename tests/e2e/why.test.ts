import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countLeftovers, mainFile, removeFleetFolders, startTestfleet } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

interface Why {
  readonly session: string
  readonly endedAt?: string
  readonly causes: readonly { readonly rule: string; readonly server?: string; readonly [key: string]: unknown }[]
}

const image = 'debian:bookworm-slim'
const server = (script: string, more: object = {}) => ({
  ...{ image, stopSignal: 'SIGKILL', command: ['sh', '-c', script] },
  ...more,
})
const fine = server('exec sleep 600')
let fleet: StoryFleet
let env: Record<string, string>

beforeAll(async () => {
  fleet = await makeFleet({ fine })
  env = { TESTFLEET_STATE_DIR: join(fleet.folder, 'state') }
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

async function why(...words: string[]): Promise<Why & { readonly exitCode: number }> {
  const { exitCode, stdout } = await fleet.call(['why', '--json', ...words], { env })
  return { exitCode, ...(JSON.parse(stdout) as Why) }
}

test('a folder for logs that cannot be used is refused before anything starts', async () => {
  const refused = await fleet.call(['run', '--attach-logs', 'testfleet.json', '--', 'true'], { env })
  expect(refused).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^error: logs cannot be attached in "testfleet\.json": it is a file\nhint: /),
  })
  const same = ['run', '--events', 'events.jsonl', '--attach-logs', '.', '--', 'true']
  expect(await fleet.call(same, { env })).toMatchObject({
    exitCode: 2,
    stderr:
      'error: --events and --attach-logs name the same file, "events.jsonl"\nhint: Name another file for --events.\n',
  })
})

test('a start that fails is explained after its servers are gone', async () => {
  expect(await fleet.call(['why'], { env })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /^error: nothing is known of a run of .*testfleet\.json\nhint: Runs in which nothing/,
    ),
  })
  await fleet.declare({ fine, slow: server('exec sleep 600', { ready: [{ tcp: 81 }], readyTimeout: '1s' }) })
  const onGitHub = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: fleet.folder }
  const failed = await fleet.call(['run', '--attach-logs', 'start', '--', 'true'], { env: { ...env, ...onGitHub } })
  expect(failed).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^::error .*::slow was not ready within 1 s /m),
  })
  const files = await readdir(join(fleet.folder, 'start'))
  expect(files.sort()).toEqual(['events.jsonl', 'fine.log', 'slow.log', 'why.txt'])
  expect(await countLeftovers(fleet.name)).toBe(0)
  expect(await why()).toMatchObject({
    ...{ exitCode: 1, session: expect.stringContaining(fleet.name), endedAt: expect.any(String) },
    causes: [
      {
        ...{ rule: 'port-refused', server: 'slow', file: 'testfleet.json' },
        sentence: expect.stringMatching(/^slow was never ready: its port refuses connections \(tcp :81: /),
      },
    ],
  })
})

test('after a failed command, the servers that went wrong are explained, or nothing was wrong with them', async () => {
  const secret = 'kX92hd8Qz17Lw'
  const again = `[ -e /tmp/2 ] && exec sleep 600; touch /tmp/1 && cp /tmp/1 /tmp/2; exit 1`
  const go = (then: string) => `until [ -e /tmp/go ]; do sleep 0.1; done; ${then}`
  await fleet.declare({
    fine,
    again: server(again, { restart: 'on-failure' }),
    full: server(go(`exec perl -e '$x = "x" x 200_000_000; sleep 600'`), { limits: { memory: '32m' } }),
    frail: server(go('cat /run/secrets/word; echo; exit 3'), { secrets: { word: { env: 'WORD' } } }),
  })
  const script = [
    'for s in full frail; do testfleet exec $s -- touch /tmp/go; done',
    'while testfleet exec full -- true || testfleet exec frail -- true; do sleep 0.3; done 2> /dev/null',
    'exit 4',
  ]
  const path = await putCommand()
  const summary = join(fleet.folder, 'summary.md')
  const onGitHub = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary, GITHUB_WORKSPACE: fleet.folder }
  const ran = await fleet.call(['run', '--quiet', '--attach-logs', 'logs', '--', 'sh', '-c', script.join('\n')], {
    env: { ...env, ...onGitHub, WORD: secret, PATH: `${path}:${process.env.PATH}` },
  })
  expect(ran).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('`testfleet why` says what was wrong with the servers\n'),
  })
  const { session, causes } = await why()
  // A busy engine can miss that memory ran out (20.10).
  const full = causes.find((cause) => cause.server === 'full')
  expect(full?.sentence).toMatch(
    /^full (?:was killed for using more memory than its limit of 32m|ended with exit code 137)/,
  )
  expect(causes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ rule: 'died', server: 'frail', sentence: 'frail ended with exit code 3' }),
      expect.objectContaining({ rule: 'restarted', server: 'again', sentence: 'again ended and was restarted once' }),
    ]),
  )
  expect(causes.find((cause) => cause.server === 'frail')?.evidence).toContain('log: ***')
  await expectNotes(secret)
  expect(ran.stderr).toMatch(/^::group::testfleet: the end of the log of frail$/m)
  expect(ran.stderr).toMatch(
    /^::error file=testfleet\.json,line=\d+,col=\d+,title=testfleet why::frail ended with exit code 3$/m,
  )
  expect(await readFile(summary, 'utf8')).toContain('frail ended with exit code 3')
  const attached = (file: string): Promise<string> => readFile(join(fleet.folder, 'logs', file), 'utf8')
  expect((await readdir(join(fleet.folder, 'logs'))).sort()).toEqual(
    ['again', 'fine', 'frail', 'full']
      .map((name) => `${name}.log`)
      .concat('events.jsonl', 'why.txt')
      .sort(),
  )
  expect(await attached('frail.log')).toMatch(/^# Written by testfleet .*\n\d{4}-\S+Z stdout \*\*\*\n$/)
  expect(await attached('events.jsonl')).toMatch(/"kind":"server.exited","data":\{"server":"frail","exitCode":3\}/)
  expect(await attached('why.txt')).toContain('frail ended with exit code 3\n')

  const passed = await fleet.call(['run', '--quiet', '--server', 'fine', '--', 'false'], {
    env: { ...env, WORD: secret },
  })
  expect(passed).toMatchObject({ exitCode: 1, stderr: '' })
  expect(await fleet.call(['why'], { env })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^nothing was wrong with the servers\nsession \S+ of \S+, which ended at /),
  })
  expect(await why('--session', session)).toMatchObject({ exitCode: 1, session })
})

/** Puts a command `testfleet` into a folder, and returns the folder. */
async function putCommand(): Promise<string> {
  const path = join(fleet.folder, 'testfleet')
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${mainFile}' "$@"\n`)
  await chmod(path, 0o755)
  return fleet.folder
}

/** Every note is its user's, and has no secret. */
async function expectNotes(secret: string): Promise<void> {
  const folder = join(fleet.folder, 'state/runs')
  for (const name of await readdir(folder)) {
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, name), 'utf8')).not.toContain(secret)
  }
}

test('a server that ended is seen while its session runs, and noted by the keeper after kill -9', async () => {
  const script = 'echo last words; until [ -e /tmp/end ]; do sleep 0.1; done; exit 3'
  await fleet.declare({ fine, frail: server(script, { ready: [{ log: 'last' }] }) })
  const session = `${fleet.name}-killed`
  const words = ['run', '--session', session, '--', 'sh', '-c', 'echo it runs; exec sleep 600']
  const running = startTestfleet(words, { cwd: fleet.folder, env })
  await running.waitForOutput(/it runs/)
  // Not by `done`: the server can end first.
  await fleet.call(['exec', '--session', session, 'frail', '--', 'touch', '/tmp/end'], { env })
  const died = { rule: 'died', server: 'frail', evidence: expect.arrayContaining(['log: last words']) }
  await eventually(async () => expect(await why('--session', session)).toMatchObject({ causes: [died] }))
  expect((await why('--session', session)).endedAt).toBe(undefined)
  running.kill('SIGKILL')
  await running.result
  await eventually(async () =>
    expect(await why('--session', session)).toMatchObject({ endedAt: expect.any(String), causes: [died] }),
  )
  await eventually(async () => expect(await countLeftovers(fleet.name)).toBe(0))
})
