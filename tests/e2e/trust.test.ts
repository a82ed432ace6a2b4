import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type CommandOptions,
  type CommandResult,
  makeFleetFolder,
  removeFleetFolders,
  runTestfleet,
  startTestfleet,
} from '../support/command.ts'
import { findOrdinaryUser, type OrdinaryUser } from '../support/ordinary-user.ts'
import { readError } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

afterAll(removeFleetFolders)

/** Without an engine: a call that got as far as to ask one would end with exit code 3. */
const noEngine = { DOCKER_HOST: 'unix:///nowhere/docker.sock' }

/** Every command that looks for a fleet file. */
const commands = [
  ...['check', 'plan', 'build', 'up', 'run -- true', 'ps', 'down', 'logs', 'endpoints', 'hosts', 'exec web -- true'],
  ...['join', 'join -- true', 'release', 'rm web', 'rmi', 'rmi web', 'pin --check', 'sbom web', 'presets ./own'],
]
/** One of each way to look for it. */
const fewCommands = ['check', 'up', 'run -- true', 'down', 'exec web -- true', 'presets ./own']
/** Those that need to know no more than which session is meant. */
const ofSession = [
  'ps',
  'down',
  'logs',
  'endpoints',
  'hosts',
  'exec web -- true',
  'join',
  'join -- true',
  'release',
  'rm web',
]

/** A program that says who ran it. */
const program = (marker: string): string => `import { appendFileSync } from 'node:fs'
appendFileSync(${JSON.stringify(marker)}, \`\${process.getuid()}\\n\`)
export default { name: 'planted', servers: { web: { image: 'debian' } } }
`
const yaml = 'name: planted\nservers: { web: { image: debian } }\n'

const ATTACKER = 4711

/** Two users on one machine; only root can be both. */
describe.runIf(process.getuid?.() === 0)('a fleet file of another user', () => {
  let victim: OrdinaryUser
  /** Folder of the attacker, and the victim's project in it. */
  let shared: string
  let project: string
  let marker: string

  beforeAll(async () => {
    victim = await findOrdinaryUser()
    shared = await makeFleetFolder({ 'project/sub/.keep': '', 'markers/.keep': '' })
    project = join(shared, 'project/sub')
    marker = join(shared, 'markers/ran')
    await chmod(shared, 0o755)
    await chmod(join(shared, 'markers'), 0o777)
    await chown(shared, ATTACKER, ATTACKER)
    for (const folder of [join(shared, 'project'), project]) await chown(folder, victim.userId, victim.groupId)
  })

  beforeEach(async () => {
    for (const name of ['testfleet.mjs', 'testfleet.yaml', 'markers/ran']) await rm(join(shared, name), { force: true })
  })

  async function plant(name: string, text: string, owner = ATTACKER): Promise<void> {
    await writeFile(join(shared, name), text)
    await chown(join(shared, name), owner, owner)
  }

  function asVictim(words: string, options: CommandOptions = {}): Promise<CommandResult> {
    const end = words.split(' ').indexOf('--')
    const all = words.split(' ')
    const split = end === -1 ? all.length : end
    const call = [...victim.prefix, ...victim.command, ...all.slice(0, split), '--json', ...all.slice(split)]
    const env = { ...noEngine, HOME: project, TESTFLEET_STATE_DIR: join(project, 'state'), ...options.env }
    return startTestfleet([], { cwd: project, ...options, env, prefix: call, isBare: true }).result
  }

  const kinds = [
    ['testfleet.mjs', program],
    ['testfleet.yaml', () => yaml],
  ] as const

  // By every command as well, although all of them look for the file in one place.
  const refusals = kinds.flatMap(([name, text]) => [
    { name, text, tried: fewCommands, tier: {} },
    { name, text, tried: commands, tier: wide },
  ])
  for (const { name, text, tried, tier } of refusals)
    test(`${name} in a folder above is neither run nor read by ${tried.length} commands`, tier, async () => {
      await plant(name, text(marker))
      const answers = await inPairs(tried, async (words) => {
        const result = await asVictim(words)
        const { code, message, hint } = readError(result)
        return { words, exitCode: result.exitCode, code, message, hint }
      })
      expect(answers).toEqual(
        tried.map((words) => ({
          words,
          exitCode: 2,
          code: 'FLEET_FILE_NOT_TRUSTED',
          message: expect.stringMatching(
            new RegExp(
              `^${shared}/${name} is not trusted: ${shared} belongs to user ${ATTACKER}; the file's owner is user ${ATTACKER}$`,
            ),
          ),
          hint: expect.stringContaining(`-f ${shared}/${name}`),
        })),
      )
      expect(existsSync(marker)).toBe(false)
    })

  test.each(kinds)('%s is used when -f names it', async (name, text) => {
    await plant(name, text(marker))
    const { exitCode, stdout } = await asVictim(`check -f ../../${name}`)
    expect({ exitCode, findings: JSON.parse(stdout).findings }).toMatchObject({ exitCode: 0 })
    expect(existsSync(marker)).toBe(name === 'testfleet.mjs')
  })

  test("is refused for root as well, as in a container with somebody else's checkout", async () => {
    await plant('testfleet.mjs', program(marker))
    const options = { cwd: shared, env: noEngine }
    for (const words of ['check', 'ps', 'down']) {
      const result = await runTestfleet([words, '--json'], options)
      expect([result.exitCode, readError(result).code]).toEqual([2, 'FLEET_FILE_NOT_TRUSTED'])
    }
    expect(existsSync(marker)).toBe(false)
    expect((await runTestfleet(['check', '-f', 'testfleet.mjs'], options)).exitCode).toBe(0)
    expect(await readFile(marker, 'utf8')).toBe('0\n')
  })

  test('does not affect a call that names its session or needs no fleet file', async () => {
    await plant('testfleet.mjs', program(marker))
    for (const words of ofSession) {
      const named = await asVictim(words.replace(/^\w+/, '$& --session other'))
      expect([words, named.exitCode, readError(named).code]).toEqual([words, 3, 'NO_ENGINE'])
    }
    const inherited = await asVictim('endpoints', { env: { TESTFLEET_SESSION: 'other' } })
    expect(readError(inherited).code).toBe('NO_ENGINE')
    for (const words of ['presets', 'presets redis', 'schema', 'version'])
      expect([words, (await asVictim(words.replace(/^version$/, 'schema'))).exitCode]).toEqual([words, 0])
    expect(existsSync(marker)).toBe(false)
  })

  test("is refused through a link in the victim's folder", async () => {
    await plant('planted.mjs', program(marker))
    const own = await makeFleetFolder({ 'package.json': '{}' })
    await chmod(own, 0o755)
    await symlink(join(shared, 'planted.mjs'), join(own, 'testfleet.mjs'))
    const result = await asVictim('check', { cwd: own })
    expect([result.exitCode, readError(result).code]).toEqual([2, 'FLEET_FILE_NOT_TRUSTED'])
    expect(existsSync(marker)).toBe(false)
  })

  test("is used if that user is root, and the caller's own file is used too", async () => {
    const own = await makeFleetFolder({ 'testfleet.yaml': yaml, 'sub/.keep': '' })
    await chmod(own, 0o755)
    expect((await asVictim('check', { cwd: join(own, 'sub') })).exitCode).toBe(0)
    await chown(own, victim.userId, victim.groupId)
    await chown(join(own, 'testfleet.yaml'), victim.userId, victim.groupId)
    expect((await asVictim('check', { cwd: join(own, 'sub') })).exitCode).toBe(0)
  })

  test("is refused in a user namespace without root, where the caller's own file is used", async (context) => {
    const enter = [...victim.prefix, 'unshare', '--user', '--map-root-user', '--']
    const canEnter = await startTestfleet([], { prefix: [...enter, 'true'], isBare: true }).result
    context.skip(canEnter.exitCode !== 0, 'this machine has no namespaces for ordinary users')
    const own = await makeFleetFolder({ 'project/testfleet.yaml': yaml })
    await chmod(own, 0o755)
    for (const path of ['project', 'project/testfleet.yaml'])
      await chown(join(own, path), victim.userId, victim.groupId)
    const inside = async (cwd: string): Promise<number> => {
      const call = [...enter, ...victim.command, 'check']
      return (await startTestfleet([], { cwd, env: noEngine, prefix: call, isBare: true }).result).exitCode
    }
    expect(await inside(join(own, 'project'))).toBe(0)
    await plant('testfleet.yaml', yaml)
    expect(await inside(project)).toBe(2)
    await chown(join(own, 'project'), ATTACKER, ATTACKER)
    expect(await inside(join(own, 'project'))).toBe(2)
  })
})

describe("a fleet file that is a program of the caller's own project", () => {
  test('is not run by commands that need only the name of the session, nor from another project below it', async () => {
    const folder = await makeFleetFolder({ 'package.json': '{}', 'deps/other/package.json': '{}' })
    const marker = join(folder, 'ran')
    await writeFile(join(folder, 'testfleet.mjs'), program(marker))
    const call = (words: string, cwd: string): Promise<CommandResult> =>
      runTestfleet(words.split(' '), { cwd, env: noEngine })
    await inPairs(ofSession, async (words) => expect((await call(words, folder)).exitCode).toBe(3))
    await inPairs(fewCommands, async (words) =>
      expect(await call(words, join(folder, 'deps/other'))).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`it is a program outside of ${folder}/deps/other`),
      }),
    )
    expect(existsSync(marker)).toBe(false)
    expect((await call('check', folder)).exitCode).toBe(0)
    expect(existsSync(marker)).toBe(true)
  })
})

describe('a link in a repository', () => {
  const secret = 'hunter2 is a secret\n'

  test.each(['preset.yaml', 'README.md', 'folder'])(
    'shows no file outside the folder: %s of a preset',
    async (what) => {
      const root = await makeFleetFolder({
        'outside/README.md': secret,
        'outside/preset.yaml': secret,
        'fleet/testfleet.yaml': 'name: n\nservers: { web: { preset: ./own } }\n',
        'fleet/own/preset.yaml': 'description: d\nserver: { image: debian }\n',
      })
      const folder = join(root, 'fleet')
      if (what === 'folder') {
        await rm(join(folder, 'own'), { recursive: true })
        await symlink('../outside', join(folder, 'own'))
      } else {
        await rm(join(folder, 'own', what), { force: true })
        await symlink(`../../outside/${what}`, join(folder, 'own', what))
      }
      const calls =
        what === 'README.md' ? ['presets ./own', 'presets ../fleet/own'] : ['presets ./own', 'check', 'plan']
      for (const [i, words] of calls.entries()) {
        const form = i === 0 ? ['--json'] : []
        const result = await runTestfleet([...words.split(' '), ...form], { cwd: folder, env: noEngine })
        expect({ words, exitCode: result.exitCode }).toEqual({ words, exitCode: 2 })
        expect(result.stdout + result.stderr).toMatch(/leads out of (?:the fleet's|its) folder/)
        expect(result.stdout + result.stderr).not.toContain('hunter2')
      }
    },
  )

  test('shows no file outside the folder: the fleet file itself', async () => {
    const root = await makeFleetFolder({ 'outside/netrc': `machine: ${secret}name: The ${secret}`, 'fleet/.keep': '' })
    await symlink('../outside/netrc', join(root, 'fleet/testfleet.yaml'))
    for (const words of [
      ['check'],
      ['check', '-f', 'testfleet.yaml'],
      ['plan', '--json'],
      ['rmi'],
      ['pin', '--check'],
    ]) {
      const { exitCode, stdout, stderr } = await runTestfleet(words, { cwd: join(root, 'fleet'), env: noEngine })
      expect(exitCode).toBe(2)
      expect(stderr).toContain('is a link to')
      expect(stdout + stderr).not.toMatch(/hunter2|machine/)
    }
  })
})

test('a named pipe or device instead of a file never blocks a call', async () => {
  const folder = await makeFleetFolder({
    'testfleet.yaml': 'name: n\nservers: { web: { preset: ./own } }\n',
    'own/preset.yaml': 'description: d\nserver: { image: debian }\n',
  })
  execFileSync('mkfifo', [join(folder, 'pipe'), join(folder, 'own/README.md')])
  const call = (...words: string[]): Promise<CommandResult> => runTestfleet(words, { cwd: folder, env: noEngine })
  for (const file of ['pipe', '/dev/zero']) expect((await call('check', '-f', file)).exitCode).toBe(2)
  expect(await call('presets', './own')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is not a file'),
  })
  await rm(join(folder, 'own/preset.yaml'))
  execFileSync('mkfifo', [join(folder, 'own/preset.yaml')])
  expect((await call('check')).exitCode).toBe(2)
})

test('a pattern of a preset with endless backtracking does not block a call', async () => {
  const folder = await makeFleetFolder({
    'testfleet.yaml': `name: n\nservers: { web: { preset: ./own, options: { word: ${'a'.repeat(64)} } } }\n`,
    'own/preset.yaml': `description: d
options: { word: { type: text, describe: d, pattern: "(a+)+b" } }
server: { image: debian, command: [{ option: word }] }
`,
  })
  for (const words of [['check'], ['plan']]) {
    const { exitCode, stderr } = await runTestfleet(words, { cwd: folder, env: noEngine })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('cannot be compared with (a+)+b in time')
  }
})

async function inPairs<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index] as Item
      results[index] = await work(item)
    }
  }
  await Promise.all([worker(), worker()])
  return results
}
