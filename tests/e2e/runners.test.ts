import { type ChildProcess, spawn } from 'node:child_process'
import { access, appendFile, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { mainFile, makeFleetFolder, removeFleetFolders, SOON_MS, waitForNothing } from '../support/command.ts'
import { lineServer } from '../support/line-server.ts'
import { wide, wideIf } from '../support/tiers.ts'

/** The samples of `examples/`, run by their own runners as they are written. They need a built package. */
const root = join(import.meta.dirname, '../..')
const modules = join(root, 'node_modules')

interface Sample {
  readonly name: string
  readonly command: readonly string[]
  readonly file: string
  /** How its tests are declared. */
  readonly word: 'test' | 'it'
  /** A file that says how the runner runs the sample. */
  readonly config?: string
  /** Options that also write JUnit XML, and what is there before what the servers did. */
  readonly xml?: { readonly options: readonly string[]; readonly before: string }
  /** What a module for its global setup exports, and the options that name the module. */
  readonly setup: { readonly exports: string; readonly options: readonly string[] }
}

const samples: readonly Sample[] = [
  {
    ...{ name: 'vitest', file: 'web.test.ts', word: 'test', config: 'vitest.config.ts' },
    command: [join(modules, 'vitest/vitest.mjs'), 'run'],
    xml: {
      options: ['--reporter=default', '--reporter=junit', '--outputFile=xml'],
      before: '<property name="servers" value="',
    },
    setup: { exports: 'default', options: ['--config=setup.config.ts'] },
  },
  {
    ...{ name: 'node-test', file: 'web.test.ts', word: 'test' },
    command: ['--test', '--test-reporter=spec'],
    xml: {
      options: ['--test-reporter-destination=stdout', '--test-reporter=junit', '--test-reporter-destination=xml'],
      before: 'servers during this test:\n +',
    },
    setup: { exports: 'const { globalSetup, globalTeardown } =', options: ['--test-global-setup=./setup.ts'] },
  },
  {
    ...{ name: 'mocha', file: 'web.spec.ts', word: 'it', config: '.mocharc.yaml' },
    command: [join(modules, 'mocha/bin/mocha.js')],
    setup: { exports: 'const { mochaGlobalSetup, mochaGlobalTeardown } = await', options: ['--require=./setup.ts'] },
  },
]

afterAll(removeFleetFolders)

/** Starts a runner as a user does: the variables of the runner of this test are not for it. */
function start({ command }: Sample, cwd: string): { readonly child: ChildProcess; readonly output: () => string } {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_|TEST|CI$|GITHUB)/.test(name))
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1' }
  const child = spawn(process.execPath, command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, output: () => output }
}

async function run(
  sample: Sample,
  cwd: string,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const { child, output } = start(sample, cwd)
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { exitCode, output: output() }
}

/** Copies a sample to a project of its own, with more tests and another name. */
async function copy({ name, file, word, config, setup }: Sample, fleet: string, tests: string): Promise<string> {
  const read = (path: string): Promise<string> => readFile(join(root, 'examples', name, path), 'utf8')
  const folder = await makeFleetFolder({
    'package.json': '{ "type": "module" }',
    'testfleet.ts': (await read('testfleet.ts')).replace(`${name}-sample`, fleet),
    [file]: `${await read(file)}\n${tests.replaceAll('DECLARE(', `${word}(`)}`,
    ...(config !== undefined && { [config]: await read(config) }),
    'setup.ts': `import { globalFleet } from 'testfleet/${name}'\nexport ${setup.exports} globalFleet('./testfleet.ts')\n`,
    'setup.config.ts': "export default { test: { globalSetup: 'setup.ts', testTimeout: 300_000 } }",
    'node_modules/.keep': '',
  })
  await symlink(root, join(folder, 'node_modules/testfleet'))
  await symlink(join(modules, 'vitest'), join(folder, 'node_modules/vitest'))
  return folder
}

/** Each test waits until its request is in the log: the engine has then noted its time. */
const asking = `
async function ask(fleet: any, path: string) {
  const { host, port } = fleet.server('web').endpoint(80)
  await fetch('http://' + host + ':' + port + path)
  for await (const { text } of fleet.server('web').logs({ follow: true })) if (text.includes(path)) break
}`

const leasing = `
const early = process.env.TESTFLEET_SESSION
DECLARE('has the variables and the session of the setup', ({ fleet }) => {
  if (process.env.TESTFLEET_SESSION !== fleet.session) throw new Error(process.env.TESTFLEET_SESSION)
  if (early !== fleet.session) throw new Error('the file was loaded before the start')
  if (process.env.TESTFLEET_WEB_PORT !== String(fleet.server('web').endpoint(80).port)) throw new Error('no port')
})
const kept: any[] = []
fleetTest(fleet, { per: 'test' })('has a lease', async ({ web, lease }) => {
  if (web.copy !== 'web-1') throw new Error(web.copy)
  kept.push(lease)
})
DECLARE('has no lease of another test', async () => {
  const { code } = await kept[0]('web').catch((error: unknown) => error)
  if (code !== 'USAGE') throw new Error(code)
})`

/** A lease goes back after the hooks of its test, also after those that are declared last. */
const leasingInHook: Readonly<Record<string, string>> = {
  'node-test': `
fleetTest(fleet, { per: 'test' })('keeps its lease for its own hooks', async ({ lease }, context) => {
  context.after(async () => void (await lease('web')))
})`,
  mocha: `
const leases: any[] = []
fleetTest(fleet, { per: 'test' })('keeps its lease for its own hooks', async ({ lease }) => void leases.push(lease))
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease('web')
})`,
}

/** Each test file notes which server it has used. */
const noting = `
DECLARE('notes the server', async ({ web }) => {
  const { appendFile } = await import('node:fs/promises')
  await appendFile('seen', process.env.PROJECT + ' ' + web.endpoint(80).port + ' ' + process.env.TESTFLEET_WEB_PORT + '\\n')
})`

/** What the tests of a folder have noted. */
async function readSeen(folder: string): Promise<string[]> {
  return (await readFile(join(folder, 'seen'), 'utf8')).trim().split('\n')
}

describe.concurrent.each(samples)('the sample of $name', (sample) => {
  const isWide = wideIf(sample.name !== 'vitest')
  // Its tests also run below, with others.
  test('passes as it is written, and leaves nothing', isWide, async ({ expect }) => {
    const result = await run(sample, join(root, 'examples', sample.name))
    expect(result, result.output).toMatchObject({ exitCode: 0, output: expect.stringContaining('says hello') })
    await waitForNothing(`${sample.name}-sample`)
  })

  test('shows what the servers did during a test that fails, and no other test', async ({ expect }) => {
    const tests = `${asking}
DECLARE('another test', async ({ fleet }) => ask(fleet, '/another'))
DECLARE('a test that fails', async ({ fleet }) => {
  await ask(fleet, '/failing')
  throw new Error('on purpose')
})
DECLARE('a fixture that is no server', async ({ cache }: any) => cache)`
    const fleet = `${sample.name}-fails`
    const folder = await copy(sample, fleet, tests)
    const command = [...sample.command, ...(sample.xml?.options ?? [])]
    const { exitCode, output } = await run({ ...sample, command }, folder)
    expect(exitCode, output).not.toBe(0)
    expect(output).toContain('on purpose')
    expect(output).toMatch(/web:\n +[\d:.]+ asked: GET \/failing /)
    expect(output).not.toContain('asked: GET /another')
    expect(output).not.toContain('asked: GET /greeting')
    expect(output).not.toContain('asked: GET / ')
    expect(output).toContain('there is no fixture cache')
    if (sample.xml !== undefined) {
      const cases = (await readFile(join(folder, 'xml'), 'utf8')).split(/<testcase(?= )/)
      const shown = cases.find((one) => /^[^>]* name="a test that fails"/.test(one))?.split(/<!--|<\/testcase>/)[0]
      expect(shown).toMatch(new RegExp(`${sample.xml.before}web:\n +[\\d:.]+ asked: GET /failing `))
    }
    await waitForNothing(fleet)
  })

  test('gives tests the fleet of a global setup, and a lease of their own', isWide, async ({ expect }) => {
    const fleet = `${sample.name}-global`
    const command = [...sample.command, ...sample.setup.options]
    const tests = leasing + (leasingInHook[sample.name] ?? '')
    const { exitCode, output } = await run({ ...sample, command }, await copy(sample, fleet, tests))
    expect(exitCode, output).toBe(0)
    await waitForNothing(fleet)
  })

  test('gives tests a standby copy as the fleet of a global setup', wide, async ({ expect }) => {
    const fleet = `${sample.name}-standby`
    const folder = await copy(sample, fleet, '')
    // A fleet file that is a program has no standby copies.
    await rm(join(folder, 'testfleet.ts'))
    await writeFile(join(folder, 'testfleet.json'), JSON.stringify({ name: fleet, servers: { web: lineServer } }))
    const setup = await readFile(join(folder, 'setup.ts'), 'utf8')
    await writeFile(join(folder, 'setup.ts'), setup.replace('testfleet.ts', 'testfleet.json'))
    const imports = { vitest: "import { test } from 'vitest'", 'node-test': "import { test } from 'node:test'" }
    const plain = `${sample.name === 'mocha' ? '' : imports[sample.name as keyof typeof imports]}
      import { writeFile } from 'node:fs/promises'
      ${sample.word}('notes the session', () => writeFile('seen', process.env.TESTFLEET_SESSION ?? 'none'))`
    await writeFile(join(folder, sample.file), plain)
    // With the variables of the runner: others could be those of another user.
    const testfleet = async (...words: string[]): Promise<string> => {
      const { exitCode, output } = await run({ ...sample, command: [mainFile, ...words] }, folder)
      expect(exitCode, output).toBe(0)
      return output
    }
    const warmed = await testfleet('warm', '--standby', '1', '--idle', '10m', '--json')
    const [, ready] = /"ready": \[\s+"(.*)"/.exec(warmed) ?? []
    const { exitCode, output } = await run({ ...sample, command: [...sample.command, ...sample.setup.options] }, folder)
    expect(exitCode, output).toBe(0)
    expect(await readSeen(folder)).toEqual([ready])
    await testfleet('down')
    await waitForNothing(fleet)
  })

  // A file says that it runs: node:test can keep back what a test prints until something else is printed.
  const forever = `DECLARE('a long test', async () => {
  await (await import('node:fs/promises')).writeFile('it-runs', '')
  await new Promise((end) => setTimeout(end, 120_000))
})`

  // Mocha runs tests in its own process; tests of faults kill such a process of the library.
  test('leaves nothing when its runner is killed', wideIf(sample.name === 'mocha'), async () => {
    const fleet = `${sample.name}-killed`
    const folder = await copy(sample, fleet, forever)
    const { child, output } = start(sample, folder)
    await vi.waitFor(() => access(join(folder, 'it-runs')).catch(() => expect.fail(output())), { timeout: SOON_MS })
    child.kill('SIGKILL')
    await waitForNothing(fleet)
  })

  test('leaves nothing when its runner is killed at any moment', wide, async () => {
    for (let time = 1; time <= 20; time++) {
      const fleet = `${sample.name}-killed-${time}`
      const { child } = start(sample, await copy(sample, fleet, forever))
      await sleep(Math.random() * 4000)
      child.kill('SIGKILL')
      await waitForNothing(fleet)
    }
  })
})

describe.concurrent('watch mode of Vitest', () => {
  const [sample] = samples as readonly [Sample]
  const [program = ''] = sample.command

  test.each(['the first test', 'a global setup'])('keeps the fleet of %s for reruns', wide, async (by) => {
    const fleet = `vitest-watched-${by.replaceAll(' ', '-')}`
    const folder = await copy(sample, fleet, noting)
    const command = [program, 'watch', ...(by === 'a global setup' ? sample.setup.options : [])]
    const { child, output } = start({ ...sample, command }, folder)
    try {
      await vi.waitFor(() => access(join(folder, 'seen')).catch(() => expect.fail(output())), { timeout: SOON_MS })
      const rerun = async (): Promise<void> => {
        // Changes while the tests run can go unnoticed.
        await appendFile(join(folder, sample.file), '\n')
        await sleep(1000)
        expect((await readSeen(folder)).length).toBeGreaterThan(1)
      }
      await vi.waitFor(rerun, { timeout: SOON_MS })
      expect(new Set((await readSeen(folder)).map((line) => line.split(' ')[1])).size).toBe(1)
    } finally {
      child.kill('SIGINT')
    }
    await waitForNothing(fleet)
  })
})

describe.concurrent('projects of Vitest', () => {
  const [sample] = samples as readonly [Sample]

  /** Runs these projects, and returns what their tests have noted, in the order of the projects. */
  async function runProjects(
    fleet: string,
    projects: string,
    files: Readonly<Record<string, string>>,
  ): Promise<string[]> {
    const folder = await copy(sample, fleet, noting)
    const test = await readFile(join(folder, sample.file), 'utf8')
    await writeFile(join(folder, 'other.test.ts'), test)
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const config = `export default { test: { maxWorkers: 1, testTimeout: 300_000, projects: ${projects} } }`
    await writeFile(join(folder, 'vitest.config.ts'), config)
    const { exitCode, output } = await run(sample, folder)
    expect(exitCode, output).toBe(0)
    await waitForNothing(fleet)
    return (await readSeen(folder)).toSorted()
  }

  for (const pools of [
    ['forks', 'threads'],
    ['vmForks', 'vmThreads'],
  ]) {
    test(`share a fleet in the pools ${pools.join(' and ')}`, wideIf(pools.includes('vmForks')), async () => {
      const projects = `${JSON.stringify(pools)}.map((pool) => ({
        test: { name: pool, pool, testTimeout: 300_000, env: { PROJECT: pool } },
      }))`
      const fleet = `vitest-${pools.join('-').toLowerCase()}`
      const seen = (await runProjects(fleet, projects, {})).map((line) => line.split(' '))
      expect(seen.map(([pool]) => pool)).toEqual(pools.flatMap((pool) => [pool, pool]))
      expect(new Set(seen.map(([, port]) => port)).size).toBe(1)
    })
  }

  test('have the fleet of their own global setup, which is one for those that name the same', wide, async () => {
    const setup = (module: string): string => `
      import { globalFleet } from 'testfleet/vitest'
      import fleet from '${module}'
      export default globalFleet(fleet)`
    const projects = `['one', 'two', 'three'].map((name) => ({
      test: {
        name,
        env: { PROJECT: name },
        ...(name === 'three'
          ? { include: ['other.test.ts'], globalSetup: 'own-setup.ts' }
          : { include: ['web.test.ts'], globalSetup: 'setup.ts' }),
      },
    }))`
    const files = {
      'setup.ts': setup('./testfleet.ts'),
      'own-setup.ts': setup('./own.ts'),
      'own.ts': "import fleet from './testfleet.ts'\nexport default { ...fleet, name: 'vitest-projects-own' }",
      'other.test.ts': `
        import { fleetTest } from 'testfleet/vitest'
        import fleet from './own.ts'
        const test = fleetTest(fleet)${noting.replaceAll('DECLARE(', 'test(')}`,
    }
    const seen = await runProjects('vitest-projects', projects, files)
    const [one, three, two] = seen.map((line) => line.split(' ').slice(1))
    expect(two).toEqual(one)
    expect(three).not.toEqual(one)
    for (const [port, variable] of [one, two, three] as string[][]) expect(variable).toBe(port)
    await waitForNothing('vitest-projects-own')
  })
})
