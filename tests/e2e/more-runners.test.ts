import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, mkdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import {
  type CommandResult,
  makeFleetFolder,
  type RunningCommand,
  removeFleetFolders,
  SOON_MS,
  startTestfleet,
  waitForNothing,
} from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeName } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const require = createRequire(import.meta.url)
const root = dirname(dirname(import.meta.dirname))
const chromium = '/usr/bin/chromium'
/** With time enough for a busy machine. */
const programs = {
  jest: [process.execPath, require.resolve('jest/bin/jest'), '--testTimeout=300000'],
  playwright: [
    process.execPath,
    require.resolve('@playwright/test/cli'),
    ...['test', '--reporter=list', '--timeout=300000'],
  ],
}
type Runner = keyof typeof programs

/** Starts a runner in a folder. */
function start(runner: Runner, folder: string, ...words: string[]): RunningCommand {
  const env = { TESTFLEET_SESSION: undefined, CI: undefined }
  return startTestfleet([], {
    prefix: [...programs[runner], ...words],
    isBare: true,
    cwd: folder,
    env,
    timeoutMs: 300_000,
  })
}

async function run(runner: Runner, folder: string, ...words: string[]): Promise<CommandResult & { output: string }> {
  const result = await start(runner, folder, ...words).result
  return { ...result, output: result.stdout + result.stderr }
}

interface Project {
  readonly name: string
  readonly folder: string
}

/** A project that has installed the package, with a fleet of one web server that logs each request. */
async function makeProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const name = makeName('runner')
  const web = { image: 'debian:bookworm-slim', command: httpServer(80), ports: [80], stopSignal: 'SIGKILL' }
  const folder = await makeFleetFolder({
    'package.json': '{ "private": true }',
    'testfleet.json': JSON.stringify({ name, servers: { web } }),
    ...files,
  })
  await mkdir(join(folder, 'node_modules/@playwright'), { recursive: true })
  await symlink(root, join(folder, 'node_modules/testfleet'))
  await symlink(join(root, 'node_modules/@playwright/test'), join(folder, 'node_modules/@playwright/test'))
  return { name, folder }
}

/** Runs a new project. The test that fails shows everything that the runner printed. */
async function runProject(
  runner: Runner,
  files: Readonly<Record<string, string>>,
  ...words: string[]
): Promise<{ project: Project; output: string }> {
  const project = await makeProject(files)
  return { project, output: (await run(runner, project.folder, ...words)).output }
}

/** Tests that run at the same time share the result. */
function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined
  return () => {
    result ??= work()
    return result
  }
}

afterAll(removeFleetFolders)

describe.concurrent('the samples run as written', () => {
  test('of Jest', async () => {
    const { exitCode, output } = await run('jest', join(root, 'examples/jest'))
    expect(output).toContain('1 passed')
    expect(exitCode).toBe(0)
    await waitForNothing('jest-sample')
  })

  test.skipIf(!existsSync(chromium))(`of Playwright, which needs ${chromium}`, async () => {
    const folder = join(root, 'examples/playwright')
    const { exitCode, output } = await run('playwright', folder, '--output', join(await makeFleetFolder({}), 'results'))
    expect(output).toContain('1 passed')
    expect(exitCode).toBe(0)
    await waitForNothing('playwright-sample')
  })
})

/** Waits until the log of a server has a text. */
const waitForLog = `async (where, text) => {
  for (;;) for await (const line of new Testfleet().logs(where)) if (line.text.includes(text)) return
}`

const jestFiles = {
  'first.test.js': `
    const { appendFileSync } = require('node:fs')
    const { Testfleet, TestfleetError, useFleet } = require('testfleet/jest')
    const fleet = useFleet('./testfleet.json')
    const waitForLog = ${waitForLog}
    const ask = async (path) => {
      const response = await fetch(fleet.server('web').endpoint(80).url + path)
      await waitForLog({ session: fleet.running.session }, path)
      return response.text()
    }
    beforeAll(() => appendFileSync('sessions', fleet.running.session + '\\n'))
    test('passes', async () => expect(await ask('/of-the-first')).toBe('hello'))
    test('fails', async () => expect(await ask('/of-the-second')).toBe('bye'))
    test('asks for an unknown server', () => void fleet.server('wbe'))
    test('has the errors of the library', () => expect(() => fleet.server('wbe')).toThrow(TestfleetError))
    `,
  'second.test.js': `
    const { defineFleet, Testfleet, useFleet } = require('testfleet/jest')
    const fleet = useFleet(defineFleet(require('./testfleet.json')), { per: 'test', folder: __dirname })
    const waitForLog = ${waitForLog}
    const seen = new Set()
    afterEach(async () => {
      const { url } = fleet.server('web').endpoint(80)
      expect(await (await fetch(url)).text()).toBe('hello')
    })
    test.each(['one', 'other'])('has a lease: %s', async (path) => {
      const { copy, session } = fleet.server('web')
      const { port, url } = fleet.server('web').endpoint(80)
      expect(fleet.environment.TESTFLEET_WEB_PORT_80).toBe(String(port))
      expect(seen).not.toContain(port)
      seen.add(port)
      await fetch(url + '/' + path)
      await waitForLog({ session, servers: [copy] }, path)
      if (path === 'other') throw new Error('the copy is ' + copy)
    })
    `,
  'third.test.js': `
    const { appendFileSync } = require('node:fs')
    const { useFleet } = require('testfleet/jest')
    const fleet = useFleet('./testfleet.json')
    test('shares the fleet', () => appendFileSync('sessions', fleet.running.session + '\\n'))
    `,
  'early.test.js': `
    const { useFleet } = require('testfleet/jest')
    useFleet().server('web')
    `,
}

describe.concurrent('Jest', () => {
  const runOnce = once(() => runProject('jest', jestFiles, '--maxWorkers=2'))

  test('runs its tests with a fleet', async () => {
    const { project, output } = await runOnce()
    expect(output).toContain('Tests:       3 failed, 4 passed, 7 total')
    await expectOneSession(project)
  })

  test('shows what the servers did in the time of a failed test, and nothing else', async () => {
    const { output } = await runOnce()
    expect(output).toMatch(/● fails\n\n {4}Servers during this test:\s+web:\n.*asked: GET \/of-the-second/)
    expect(output).not.toContain('asked: GET /of-the-first')
    const [, copy = ''] = /the copy is (web-\d)/.exec(output) ?? []
    expect(output).toMatch(
      new RegExp(`● has a lease: other\n\n +Servers during this test:\\s+${copy}:\n[^]*GET /other`),
    )
    expect(output).not.toContain('asked: GET /one')
  })

  test('shows which servers there are, and where a fleet can be used', async () => {
    const { output } = await runOnce()
    expect(output).toMatch(
      /● asks for an unknown server\n\n.*there is no server `wbe`\n *hint: Did you mean `web`\? The servers are: web\.\n\n/,
    )
    expect(output).toMatch(/the fleet runs only during the tests\n *hint: Use the fleet in a test or in a hook\.\n\n/)
  })
})

const playwrightFiles = {
  'playwright.config.ts': `export default { workers: 2, build: { external: ['**/dist/**'] } }`,
  'first.spec.ts': `
    import { appendFileSync, readFileSync } from 'node:fs'
    import { test as base, expect } from '@playwright/test'
    import { Testfleet } from 'testfleet'
    import { fleetTest } from 'testfleet/playwright'
    const test = fleetTest(base, JSON.parse(readFileSync('testfleet.json', 'utf8')), { baseURL: 'web:80' })
    const waitForLog = ${waitForLog}
    test('passes', async ({ request, baseURL, fleet, web }) => {
      appendFileSync('sessions', fleet.session + '\\n')
      expect(await (await request.get('/of-the-first')).text()).toBe('hello')
      await waitForLog({ session: fleet.session }, '/of-the-first')
      expect(baseURL).toBe(web.endpoint(80).url.replace(/^\\w+:/, 'http:'))
    })
    test('fails', async ({ request, fleet }) => {
      appendFileSync('sessions', fleet.session + '\\n')
      await request.get('/of-the-second')
      await waitForLog({ session: fleet.session }, '/of-the-second')
      throw new Error('fails')
    })
    test('is started in a new worker', async ({ fleet, lease }) => {
      appendFileSync('sessions', fleet.session + '\\n')
      expect((await lease('web')).endpoint(80).port).not.toBe(fleet.server('web').endpoint(80).port)
    })
    `,
  'second.spec.ts': `
    import { test as base, expect } from '@playwright/test'
    import { fleetTest } from 'testfleet/playwright'
    const test = fleetTest(base, './testfleet.json', { baseURL: 'wbe' })
    test('asks for an unknown server', async ({ request }) => void (await request.get('/')))
    `,
}

describe.concurrent('Playwright', () => {
  const runOnce = once(() => runProject('playwright', playwrightFiles))

  test('runs its tests with a fleet, which a new worker joins', async () => {
    const { project, output } = await runOnce()
    expect(output).toContain('2 failed')
    expect(output).toContain('2 passed')
    await expectOneSession(project)
  })

  test('attaches what the servers did in the time of a failed test, and nothing else', async () => {
    const { output } = await runOnce()
    expect(output).toMatch(/attachment #\d: web\.log \(text\/plain\) ─+\n *web:\n.*asked: GET \/of-the-second/)
    expect(output).not.toContain('asked: GET /of-the-first')
  })

  test('shows which servers there are', async () => {
    const { output } = await runOnce()
    expect(output).toMatch(/there is no server `wbe`\n *hint: Did you mean `web`\? The servers are: web\.\n/)
  })
})

/** All tests that noted their session had the same one, and nothing is left of it. */
async function expectOneSession({ folder, name }: Project): Promise<void> {
  const sessions = (await readFile(join(folder, 'sessions'), 'utf8')).trim().split('\n')
  expect(sessions.length).toBeGreaterThan(1)
  expect(new Set(sessions).size).toBe(1)
  await waitForNothing(name)
}

describe.concurrent('a runner that is killed', () => {
  const hang = `
    appendFileSync('sessions', 'ready')
    await new Promise((resolve) => setTimeout(resolve, 600_000))`
  const jestFile = `
    const { appendFileSync } = require('node:fs')
    const fleet = require('testfleet/jest').useFleet()
    test('hangs', async () => { ${hang} }, 600_000)`
  const playwrightFile = `
    import { appendFileSync } from 'node:fs'
    import { test as base } from '@playwright/test'
    import { fleetTest } from 'testfleet/playwright'
    const test = fleetTest(base)
    test('hangs', async ({ fleet }) => { test.setTimeout(0); ${hang} })`
  const projects = {
    jest: { 'one.test.js': jestFile, 'other.test.js': jestFile },
    playwright: { 'playwright.config.ts': playwrightFiles['playwright.config.ts'], 'one.spec.ts': playwrightFile },
  }

  test.each(['jest', 'playwright'] as const)('leaves nothing while tests of %s run', async (runner) => {
    const { name, folder } = await makeProject(projects[runner])
    const running = start(runner, folder)
    await vi.waitFor(() => access(join(folder, 'sessions')), { timeout: SOON_MS })
    running.kill('SIGKILL')
    await waitForNothing(name)
  })

  test.each(['jest', 'playwright'] as const)('leaves nothing at any moment: %s', wide, async (runner) => {
    const { name, folder } = await makeProject(projects[runner])
    for (let time = 0; time < 20; time++) {
      const running = start(runner, folder)
      await sleep(randomInt(6000))
      running.kill('SIGKILL')
      // Its workers may just be about to begin.
      await sleep(1000)
      await waitForNothing(name)
    }
  })
})
