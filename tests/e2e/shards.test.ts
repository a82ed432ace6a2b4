import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countLeftovers, removeFleetFolders, startTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wideIf } from '../support/tiers.ts'

const command = ['sleep', '600']
const stopSignal = 'SIGKILL'
let fleet: StoryFleet

beforeAll(async () => {
  fleet = await makeFleet({
    web: { build: { copy: [{ content: 'hello', to: '/hello' }] }, command, stopSignal },
    fixed: { image: 'debian:bookworm-slim', command, ports: [{ container: 80, host: 18_081 }], ready: [] },
  })
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

test('shards run at once, each in its own session, with one build, and their failures are told apart', async () => {
  const script = [
    'echo "part $TESTFLEET_SHARD_INDEX/$TESTFLEET_SHARD_COUNT of $1 in $TESTFLEET_SESSION"',
    // None ends before the other runs.
    'touch "here-$1"; while [ ! -e here-1 ] || [ ! -e here-2 ]; do sleep 0.05; done',
    'echo "to stderr" > /dev/stderr; [ "$1" = 1 ] || exit 7',
  ]
  const words = ['run', '--server', 'web', '--shards', '2', '--attach-logs', 'logs', '--events', 'events.jsonl']
  const ran = await fleet.call([...words, '--', 'sh', '-c', script.join('\n'), 'sh', '{shard}'])
  expect(ran).toMatchObject({
    exitCode: 7,
    stderr: expect.stringMatching(/^1 of 2 shards failed: 2 \(exit code 7\)\n$/m),
  })
  const sessions = [1, 2].map((shard) => {
    const [, session] = new RegExp(`^\\[${shard}\\] part ${shard}/2 of ${shard} in (.*)$`, 'm').exec(ran.stdout) ?? []
    expect(ran.stderr).toMatch(new RegExp(`^\\[${shard}\\] to stderr$`, 'm'))
    return session
  })
  expect(new Set(sessions).size).toBe(2)
  expect(ran.stderr.match(/^.*built in.*$/gm)).toEqual([expect.stringMatching(/^web: built in /)])
  expect(ran.stderr).toMatch(/^\[2\] logs of the servers, why\.txt first: .*\/logs\/shard-2$/m)
  expect(await readdir(join(fleet.folder, 'logs'))).toEqual(['shard-2'])
  const events = (await readFile(join(fleet.folder, 'events.jsonl'), 'utf8')).trim().split('\n')
  const started = events.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'server.ready')
  expect(started.map(({ session }) => session).sort()).toEqual(sessions.sort())
  expect(await countLeftovers(fleet.name)).toBe(0)
})

test('shards that need the same port are refused before anything starts', async () => {
  expect(await fleet.call(['run', '--shards', '2', '--', 'true'])).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(
      /^error: 2 shards cannot run at once: fixed: shards cannot share the port 18081 of this machine\n {2}asked for at testfleet\.json:\d+:\d+\nhint: /,
    ),
  })
})

test('Ctrl-C ends all shards', async () => {
  const script = 'trap "exit 9" INT; echo waiting; while :; do sleep 0.05; done'
  const running = startTestfleet(['run', '--server', 'web', '--shards', '2', '--', 'sh', '-c', script], {
    cwd: fleet.folder,
  })
  await Promise.all([1, 2].map((shard) => running.waitForOutput(new RegExp(`^\\[${shard}\\] waiting$`, 'm'))))
  running.killGroup('SIGINT')
  expect(await running.result).toMatchObject({ exitCode: 9 })
  expect(await countLeftovers(fleet.name)).toBe(0)
})

for (const stream of ['stdout', 'stderr'])
  test(`all shards end when nobody reads their ${stream} any more`, wideIf(stream === 'stderr'), async () => {
    const [to, own] = stream === 'stdout' ? ['', ''] : ['2>&1 > /dev/null', '>&2']
    const prefix = ['bash', '-o', 'pipefail', '-c', `"$@" ${to} | head -n 1`, 'bash']
    // It goes on when a line has no reader.
    const script = `trap "" PIPE; while :; do echo line ${own}; sleep 0.05; done`
    const words = ['run', '--quiet', '--server', 'web', '--shards', '2', '--', 'sh', '-c', script]
    const ran = await fleet.call(words, { prefix })
    expect(ran).toMatchObject({ exitCode: 141, stdout: expect.stringMatching(/^\[[12]\] line\n$/) })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
