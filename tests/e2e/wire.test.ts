import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import { removeFleetFolders, startTestfleet, waitForNothing } from '../support/command.ts'
import { buildGoClient } from '../support/go-client.ts'
import { buildJavaClient } from '../support/java-client.ts'
import { noteServer } from '../support/lent-servers.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

interface Client {
  readonly name: string
  /** Words that start the program, compiled if it has to be. */
  readonly build: () => Promise<readonly string[]>
  readonly environment?: Readonly<Record<string, string>>
}

/** The program of each client, which docs/wire.md describes. */
const clients: readonly Client[] = [
  {
    name: 'python',
    build: async () => ['/usr/bin/python3', join(import.meta.dirname, '../../clients/python/tests/wire_client.py')],
    environment: { PYTHONPATH: join(import.meta.dirname, '../../clients/python'), PYTHONDONTWRITEBYTECODE: '1' },
  },
  { name: 'go', build: buildGoClient },
  { name: 'java', build: buildJavaClient },
  { name: 'sh', build: async () => ['/bin/sh', join(import.meta.dirname, '../../clients/shell/tests/wire_client.sh')] },
]

let environment: Readonly<Record<string, string | undefined>>
let fleet: StoryFleet
const runners: ChildProcess[] = []

beforeAll(async () => {
  environment = { ...(await clientEnvironment()), TESTFLEET_SESSION: undefined }
  // Without a pool: the first lease starts the lender.
  fleet = await makeFleet({ notes: noteServer({ isolation: 'reset', reset: [['rm', '-f', '/var/notes']] }) })
})

afterAll(async () => {
  for (const runner of runners) runner.kill('SIGKILL')
  await waitForNothing(fleet.name)
  await removeFleetFolders()
})

/** A process that stands for a test runner. */
function startRunner(): ChildProcess & { readonly pid: number } {
  const runner = spawn('sleep', ['600'], { stdio: 'ignore' })
  runners.push(runner)
  return Object.assign(runner, { pid: runner.pid ?? 0 })
}

describe.each(clients)('the client in $name', ({ name, build, environment: own }) => {
  let program: readonly string[]

  beforeAll(async () => {
    program = await build()
  })

  const start = (script: string, holder: number, folder = fleet.folder, env: typeof environment = {}) => {
    const prefix = [...program, script, String(holder)]
    return startTestfleet([], { prefix, isBare: true, cwd: folder, env: { ...environment, ...own, ...env } })
  }

  /** The values of each line, by its first word. */
  const run = async (holder: number, folder?: string, env?: typeof environment) => {
    const { stdout, stderr, exitCode } = await start('script', holder, folder, env).result
    const words = stdout.trim().split('\n')
    return { exitCode, stderr, answers: Object.fromEntries(words.map((line) => line.split(/ (.*)/))) }
  }

  // The tests of bats and JUnit share and lease servers with the clients in sh and Java as well.
  const isWide = wideIf(name === 'sh' || name === 'java')
  test('shares one session among processes, and finds and leases its servers', isWide, async () => {
    const runner = startRunner()
    const results = await Promise.all([run(runner.pid), run(runner.pid)])
    for (const { answers, exitCode, stderr } of results) {
      expect(exitCode, stderr).toBe(0)
      const { session, endpoint, lease } = answers
      expect(session).toBe(results[0]?.answers.session)
      expect(session).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{7}$`))
      expect(endpoint).toMatch(/^127\.0\.0\.1:\d+$/)
      expect(lease).toMatch(/^notes-1 127\.0\.0\.1:\d+$/)
      expect(lease).not.toContain(endpoint)
      expect(answers).toEqual({
        ...{ session, endpoint, lease, export: endpoint, variable: endpoint },
        ...{ empty: '[]', written: '[mine]', pristine: '[]', unknown: 'UNKNOWN_SERVER' },
      })
    }
    // A client that is killed gives its lease back.
    const held = start('hold', runner.pid)
    await held.waitForOutput(/^held$/m)
    held.kill('SIGKILL')
    expect((await run(runner.pid)).answers).toMatchObject({ empty: '[]', pristine: '[]' })
    runner.kill('SIGKILL')
    await once(runner, 'exit')
    await waitForNothing(fleet.name)
  })

  test('fails with the code and the message of the command', async () => {
    const broken = await makeFleet({ web: { image: 'debian:bookworm-slim', ports: [0] } })
    const { exitCode, answers, stderr } = await run(startRunner().pid, broken.folder)
    expect([exitCode, answers]).toEqual([1, { failure: 'FLEET_FILE_INVALID' }])
    expect(stderr).toMatch(/^error: the fleet file has .*mistake.*\n {2}testfleet\.json:\d+:\d+: servers\.web\.ports/)
  })

  test('says how to install the command when it is missing', async () => {
    const { exitCode, answers, stderr } = await run(startRunner().pid, fleet.folder, {
      TESTFLEET_BIN: undefined,
      PATH: '/nowhere',
    })
    expect([exitCode, answers]).toEqual([1, { failure: 'COMMAND_MISSING' }])
    expect(stderr).toMatch(/^error: testfleet is not installed: .*\nhint: .*TESTFLEET_BIN/)
  })

  test('leaves nothing when it is killed at any moment', wide, async () => {
    for (let round = 0; round < 20; round++) {
      const held = spawn(program[0] ?? '', [...program.slice(1), 'hold', String(startRunner().pid)], {
        cwd: fleet.folder,
        env: { ...process.env, ...environment, ...own },
        stdio: 'ignore',
      })
      await sleep(round * 150)
      held.kill('SIGKILL')
      runners.at(-1)?.kill('SIGKILL')
    }
    await waitForNothing(fleet.name)
  })
})
