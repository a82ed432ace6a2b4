import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { countLeftovers, mainFile, removeFleetFolders, startTestfleet } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
let fleet: StoryFleet

beforeAll(async () => {
  fleet = await makeFleet(
    {
      'web-app': {
        image,
        command: httpServer(8080),
        ports: [8080, '9000/udp'],
        ready: [{ http: { port: 8080 } }],
        secrets: { KEY: { generate: 16 } },
        export: { APP_URL: 'http://${host}:${port.8080}/?key=${secret.KEY}' },
        dependsOn: ['base'],
      },
      base: { image, command: ['sleep', '600'] },
      // Built when it is first asked for, by two at once.
      other: { build: { copy: [{ content: 'other', to: '/other' }] }, command: ['sleep', '600'] },
    },
    { 'test.mjs': 'console.log(await (await fetch(process.env.APP_URL)).text())\n' },
  )
})

afterEach(async () => {
  expect(await countLeftovers(fleet.name)).toBe(0)
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/** `run` of one server that needs nothing, for what is the same with more. */
const quick = (...command: string[]) => ['run', '--quiet', '--server', 'base', '--', ...command]

describe('run', () => {
  test('can run twice at the same time, each with its own session', wide, async () => {
    const both = await Promise.all([1, 2].map(() => fleet.done(['run', '--quiet', '--', process.execPath, 'test.mjs'])))
    expect(both.map(({ stdout }) => stdout)).toEqual(['hello\n', 'hello\n'])
  })

  test('starts the servers, and gives its command their endpoints', async () => {
    const print =
      'console.log(JSON.stringify(process.env)); fetch(process.env.APP_URL).then((r) => r.text()).then(console.error)'
    const { stdout, stderr } = await fleet.done(['run', '--quiet', '--', process.execPath, '-e', print], {
      env: { FROM_OUTSIDE: 'kept' },
    })
    expect(stderr).toBe('hello\n')
    const { TESTFLEET_SESSION: session, ...environment } = JSON.parse(stdout)
    expect(session).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{6}$`))
    const port = environment.TESTFLEET_WEB_APP_PORT
    expect(port).toMatch(/^\d+$/)
    const given = Object.fromEntries(Object.entries(environment).filter(([name]) => /^TESTFLEET_|^APP_/.test(name)))
    expect(given).toEqual({
      TESTFLEET_WEB_APP_HOST: '127.0.0.1',
      TESTFLEET_WEB_APP_PORT: port,
      TESTFLEET_WEB_APP_PORT_8080: port,
      TESTFLEET_WEB_APP_PORT_9000: expect.stringMatching(/^\d+$/),
      TESTFLEET_WEB_APP_HOSTNAME: `web-app.${fleet.name}.test`,
      TESTFLEET_BASE_HOSTNAME: `base.${fleet.name}.test`,
      TESTFLEET_OTHER_HOSTNAME: `other.${fleet.name}.test`,
      TESTFLEET_LENDER: expect.stringMatching(/^\/.*\/lender-[0-9a-f]{8}\.sock$/),
      TESTFLEET_KEEPER: expect.stringMatching(/^\/.*\/[0-9a-f]{8}\.sock$/),
      TESTFLEET_COMMAND: expect.stringMatching(/^[0-9a-f]{32}$/),
      APP_URL: expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?key=[A-Za-z0-9]{16}$`)),
    })
    expect(environment).toMatchObject({ FROM_OUTSIDE: 'kept', PATH: process.env.PATH })
  })

  test('starts the named servers and their dependencies, and no others', wide, async () => {
    const { stdout } = await fleet.done(['run', '--quiet', '--server', 'web-app', '--', 'env'])
    const names = [...stdout.matchAll(/^TESTFLEET_(\w+)_HOSTNAME=/gm)].map(([, name]) => name)
    expect(names.sort()).toEqual(['BASE', 'WEB_APP'])
  })

  for (const [name, command, exitCode, tier] of [
    ['0', ['true'], 0, wide],
    ['3', ['sh', '-c', 'exit 3'], 3, {}],
    ['255', ['sh', '-c', 'exit 255'], 255, wide],
    // names.test.ts has this one under a namespace.
    ['128 and the signal that has killed it', ['sh', '-c', 'kill -KILL $$'], 137, wide],
    ['128 and the signal that it has sent itself', ['sh', '-c', 'kill -TERM $$'], 143, wide],
  ] as const) {
    test(`exits with the exit code of its command: ${name}`, tier, async () => {
      expect(await fleet.call(quick(...command))).toMatchObject({ exitCode, stdout: '', stderr: '' })
    })
  }

  test('passes on the streams of its command without changing a byte', async () => {
    const bytes = randomBytes(3_000_000)
    const [from, to] = [join(fleet.folder, 'in'), join(fleet.folder, 'out')]
    await writeFile(from, bytes)
    const prefix = ['sh', '-c', 'in=$1 out=$2; shift 2; exec "$@" < "$in" > "$out"', 'sh', from, to]
    const { stderr } = await fleet.done(quick('sh', '-c', 'cat; echo to stderr >&2'), { prefix })
    expect(stderr).toBe('to stderr\n')
    const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
    expect(digest(await readFile(to))).toBe(digest(bytes))
  })

  test("passes on its arguments unchanged, and runs the command in the caller's working folder", wide, async () => {
    const words = ['', 'two words', '$HOME', "it's", '--json', '--', '-h']
    const { stdout } = await fleet.done(quick('sh', '-c', 'pwd; printf "%s|" "$@"', 'sh', ...words))
    expect(stdout).toBe(`${fleet.folder}\n${words.map((word) => `${word}|`).join('')}`)
  })

  test('prints progress on stderr, and leaves stdout to its command', async () => {
    const { stdout, stderr } = await fleet.done(['run', '--server', 'base', '--', 'echo', 'mine'])
    expect(stdout).toBe('mine\n')
    expect(stderr).toMatch(/^base: starting\nbase: ready in .*\nbase: removing\n$/)
  })

  test('reports every server that ended, or ran out of memory, while its command ran', async () => {
    // Each ends, or loses a program, once the file /tmp/go is there.
    const server = (then: string) => ({
      image,
      command: ['sh', '-c', `until [ -e /tmp/go ]; do sleep 0.1; done; ${then}`],
      limits: { memory: '32m' },
    })
    const greed = `perl -e '$x = "x" x 200_000_000; sleep 600'`
    const mortal = await makeFleet({
      base: { image, command: ['sleep', '600'] },
      frail: server('exit 3'),
      greedy: server(`exec ${greed}`),
      parent: server(`${greed}; touch /tmp/lost; sleep 600`),
    })
    const call = `'${process.execPath}' '${mainFile}' exec`
    const script = [
      `for s in frail greedy parent; do ${call} $s -- touch /tmp/go; done`,
      `while ${call} frail -- true || ${call} greedy -- true; do sleep 0.5; done 2> /dev/null`,
      `until ${call} parent -- test -e /tmp/lost; do sleep 0.5; done`,
      'exit 4',
    ].join('\n')
    const { exitCode, stderr } = await mortal.call(['run', '--quiet', '--', 'sh', '-c', script])
    await mortal.cleanUp()
    expect(exitCode).toBe(4)
    expect(stderr.split('\n').filter((line) => line.startsWith('warning:'))).toEqual([
      'warning: frail ended with exit code 3 while the command ran',
      'warning: greedy was killed for using more memory than its limit of 32m while the command ran',
      'warning: a program of parent was killed for using more memory than its limit of 32m while the command ran',
    ])
  })

  test('starts no server for a command that does not exist', async () => {
    expect(await fleet.call(['run', '--', 'no-such-program'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: the program "no-such-program" does not exist/),
    })
    expect(await fleet.call(['run'])).toMatchObject({ exitCode: 2 })
    expect(await fleet.call(['run', '--', join(fleet.folder, 'test.mjs')])).toMatchObject({ exitCode: 2 })
  })

  test('never uses or removes an existing session', wide, async () => {
    const session = `${fleet.name}-123abc`
    const words = ['--session', session]
    expect((await fleet.done(['run', ...words, '--server', 'base', '--', 'env'])).stdout).toContain(
      `TESTFLEET_SESSION=${session}\n`,
    )
    const report = await fleet.json(['up', 'base', ...words])
    expect(await fleet.call(['run', ...words, '--', 'true'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`the session ${session} already exists`),
    })
    expect(await fleet.json(['ps', ...words])).toEqual(report)
    await fleet.done(['down', ...words])
  })

  // A group's signal reaches the command twice: from its sender, and through testfleet, which cannot know that.
  for (const [signal, how, words, tier] of [
    ['SIGTERM', 'kill', /^waiting\nending\nended\n$/, wide],
    ['SIGINT', 'kill', /^waiting\nending\nended\n$/, wide],
    ['SIGTERM', 'killGroup', /^waiting\n(?:ending\n){1,2}ended\n$/, {}],
  ] as const) {
    test(`waits for its command to end after ${signal} by ${how}, and then cleans up`, tier, async () => {
      const script = [
        "trap 'echo ending; sleep 1; echo ended; exit 5' TERM INT",
        'echo waiting',
        'while :; do sleep 0.1; done',
      ].join('\n')
      const running = startTestfleet(quick('sh', '-c', script), { cwd: fleet.folder })
      await running.waitForOutput(/^waiting$/m)
      running[how](signal)
      await running.waitForOutput(/^ending$/m)
      expect(await countLeftovers(fleet.name)).toBeGreaterThan(0)
      expect(await running.result).toMatchObject({ exitCode: 5, stdout: expect.stringMatching(words) })
    })
  }
})
