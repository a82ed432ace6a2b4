import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import {
  countLeftovers,
  type RunningCommand,
  removeFleetFolders,
  SOON_MS,
  startTestfleet,
  waitForNothing,
} from '../support/command.ts'
import { lineServer } from '../support/line-server.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const root = join(import.meta.dirname, '../..')
const client = join(root, 'clients/python')
let environment: Readonly<Record<string, string | undefined>>
const fleets: StoryFleet[] = []

/** Tests of which the last one fails; each has told the server of itself, and waits until the log has it. */
const failing = (name: string) => `
import os, socket, subprocess, time

def tell(fleet, text):
    with socket.create_connection(fleet["web"].endpoint(80)) as connection:
        connection.sendall(text.encode() + b"\\n")
        connection.recv(1)
    while text not in subprocess.run([os.environ["TESTFLEET_BIN"], "logs"], stdout=subprocess.PIPE, text=True).stdout:
        time.sleep(0.1)

def test_passes(fleet):
    tell(fleet, "before-${name}")

def test_fails_${name}(fleet):
    tell(fleet, "during-${name}")
    assert fleet.session == "no"
`

const sleeping = `
import time

def test_sleeps(fleet, lease):
    open("began", "w").close()
    time.sleep(600)
`

beforeAll(async () => {
  environment = {
    ...(await clientEnvironment()),
    TESTFLEET_SESSION: undefined,
    PYTHONPATH: client,
    PYTEST_PLUGINS: 'testfleet_pytest.plugin',
    PYTHONDONTWRITEBYTECODE: '1',
  }
})

afterAll(async () => {
  for (const fleet of fleets) await waitForNothing(fleet.name)
  await removeFleetFolders()
})

function startPytest(folder: string, words: readonly string[] = [], env: typeof environment = environment) {
  const prefix = ['/usr/bin/python3', '-m', 'pytest', '-p', 'no:cacheprovider', ...words]
  return startTestfleet([], { prefix, isBare: true, cwd: folder, env })
}

async function makeProject(tests: Readonly<Record<string, string>>): Promise<StoryFleet> {
  const fleet = await makeFleet({ web: lineServer }, tests)
  fleets.push(fleet)
  return fleet
}

describe.concurrent('the plug-in for pytest', () => {
  test('passes its own tests, which need no engine', async ({ expect }) => {
    const { exitCode, stdout } = await startPytest(client, ['-q'], {}).result
    expect(exitCode, stdout).toBe(0)
  })

  test('runs the example as its page shows it', async ({ expect }) => {
    const folder = join(root, 'examples/pytest')
    const { exitCode, stdout, stderr } = await startPytest(folder).result
    expect(stdout, stderr).toMatch(/^=+ 2 passed in /m)
    expect(exitCode).toBe(0)
    const page = await readFile(join(root, 'docs/pytest.md'), 'utf8')
    for (const part of (await readFile(join(folder, 'test_orders.py'), 'utf8')).split('\n\n\n'))
      expect(page).toContain(part)
  })

  test('shares one fleet among workers, and shows the logs of the time of a failed test', async ({ expect }) => {
    const fleet = await makeProject({ 'test_a.py': failing('a'), 'test_b.py': failing('b') })
    const { exitCode, stdout, stderr } = await startPytest(fleet.folder, ['-n', '2', '--dist', 'loadfile']).result
    expect(stdout, stderr).toMatch(/^=+ 2 failed, 2 passed in /m)
    expect(exitCode).toBe(1)
    const sessions = new Set([...stdout.matchAll(/AssertionError: assert '(.*?)' == 'no'/g)].map(([, name]) => name))
    expect([...sessions]).toEqual([expect.stringMatching(new RegExp(`^${fleet.name}-[0-9a-f]{7}$`))])
    for (const name of ['a', 'b']) {
      const report = new RegExp(`^_+ test_fails_${name} _+$[\\s\\S]*?(?=^_{5}|^={5})`, 'm').exec(stdout)?.[0]
      const log = report?.split(/^-+ Captured log of web -+$/m)[1]
      expect(log).toMatch(new RegExp(`^\\d{4}-\\S+Z got during-${name}$`, 'm'))
      expect(log).not.toContain(`before-${name}`)
    }
    // The end of the run waits for the end of the fleet.
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('leaves nothing when pytest is killed', async () => {
    const fleet = await makeProject({ 'test_it.py': sleeping })
    const running = startPytest(fleet.folder, ['-n', '2'])
    await vi.waitFor(() => expect(existsSync(join(fleet.folder, 'began'))).toBe(true), { timeout: SOON_MS })
    running.kill('SIGKILL')
    await waitForNothing(fleet.name)
  })
})

test('pytest that is killed at any moment leaves nothing', wide, async () => {
  const fleet = await makeProject({ 'test_it.py': sleeping })
  const killed: RunningCommand[] = []
  for (let round = 0; round < 20; round++) {
    const running = startPytest(fleet.folder, round % 2 === 0 ? [] : ['-n', '2'])
    await sleep(round * 200)
    running.kill('SIGKILL')
    killed.push(running)
  }
  await Promise.all(killed.map(({ result }) => result))
  await waitForNothing(fleet.name)
})

test('a fleet that cannot start is the message of testfleet, without a traceback', wide, async () => {
  const fleet = await makeProject({ 'test_it.py': sleeping })
  await writeFile(join(fleet.folder, 'testfleet.json'), '{ "servers": { "web": { "preset": "rediss" } } }')
  const { exitCode, stdout } = await startPytest(fleet.folder).result
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^error: the fleet file has .*\n {2}testfleet.json:1:\d+: .*did you mean `redis`\?$/m)
  expect(stdout).not.toMatch(/Traceback|command\.py|During handling/)
})
