import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findBundles, formsOfSecret, modesOf, mountTmpfs, readBundle, unpack } from '../support/bundles.ts'
import { type CommandResult, countLeftovers, mainFile } from '../support/command.ts'
import { startFleet, TestfleetError } from '../support/library.ts'
import {
  base,
  endFleets,
  makeFleet,
  messageOf,
  readError,
  server,
  sleeper,
  type TestFleet,
} from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

// Not after each: they are at work side by side.
afterAll(endFleets)

const shell = (script: string): string[] => ['sh', '-c', script]

/** The one bundle of a call that failed, which its message names. */
async function bundleOf(fleet: TestFleet, result: CommandResult): Promise<Record<string, string>> {
  const [folder = '', ...others] = await findBundles(join(fleet.folder, 'tmp'))
  expect(others).toEqual([])
  expect(result.stderr).toContain(`failure bundle, summary.txt first: ${folder}\n`)
  expect(await modesOf(folder)).toEqual({ folders: new Set(['700']), files: new Set(['600']) })
  return readBundle(folder)
}

const ofCall = ['engine.json', 'events.ndjson', 'fleet.json', 'plan.txt', 'summary.txt']
const ofSession = [...ofCall, 'engine-events.ndjson']

function readLines(ndjson: string | undefined): Record<string, unknown>[] {
  return (ndjson ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z'

describe.concurrent('the bundle of a build that fails', () => {
  test.each(['build', 'up'])(
    'under `%s` has the Dockerfile and the whole output of the build',
    wide,
    async (command) => {
      // Said by a step that no earlier build has left in the engine's cache.
      const once = `echo once ${randomBytes(4).toString('hex')}`
      const fleet = await makeFleet([
        `web: { build: { from: "${base}", run: ["${once}", "echo why it broke; exit 7"] }, command: [sleep, "600"] }`,
        `other: ${sleeper}`,
      ])
      const result = await fleet.run([command])
      expect(result.exitCode).toBe(1)
      const files = await bundleOf(fleet, result)
      const listed = Object.keys(files)
      expect(listed).toEqual(expect.arrayContaining(command === 'build' ? ofCall : ofSession))
      expect(files['servers/web/Dockerfile']).toContain(`RUN ["/bin/sh","-ec","--","${once}"]\n`)
      expect(files['servers/web/build.log']).toMatch(new RegExp(`^${TIME} once \\w{8}$`, 'm'))
      expect(files['servers/web/build.log']).toMatch(new RegExp(`^${TIME} why it broke$`, 'm'))
      expect(files['plan.txt']).toMatch(/^ {2}build {3}testfleet\/failing-/m)
      expect(files['summary.txt']).toMatch(
        new RegExp(
          [
            '^FAILED  the image of web could not be built: `run echo why it broke; exit 7` failed with exit code 7',
            '  code   BUILD_FAILED',
            '  where  testfleet\\.yaml:3:\\d+',
            '  \\| why it broke',
          ].join('\n'),
        ),
      )
      expect(files['summary.txt']).toMatch(/^engine {5}(Docker|Podman) Engine \d/m)
      expect(files['summary.txt']).toMatch(/^testfleet {2}\d+\.\d+\.\d+/m)
      expect(JSON.parse(files['engine.json'] ?? '')).toMatchObject({ version: { api: expect.any(String) } })
    },
  )
})

describe.concurrent('the bundle of a start that fails', () => {
  test('because its port is taken has the servers that ran', wide, async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const fleet = await makeFleet([
      `first: ${server({ command: shell('echo first is up; exec sleep 600') })}`,
      `second: ${server({ command: ['sleep', '600'], dependsOn: ['first'], ports: [{ container: 80, host: port }] })}`,
    ])
    const result = await fleet.run(['up'])
    holder.close()
    expect(result.exitCode).toBe(1)
    const files = await bundleOf(fleet, result)
    expect(files['servers/first/container.log']).toMatch(new RegExp(`^${TIME} stdout first is up\n$`))
    expect(files['summary.txt']).toContain('  code   PORT_TAKEN\n')
    expect(files['summary.txt']).toMatch(/^ {2}first {3}running$/m)
    expect(files['summary.txt']).toMatch(/^ {2}second {2}could not start$/m)
    const events = readLines(files['engine-events.ndjson']).map(({ Action }) => Action)
    expect(events).toEqual(expect.arrayContaining(['create', 'start']))
  })

  test(
    'because its program does not exist names the line of the fleet file that asks for the program',
    wide,
    async () => {
      const fleet = await makeFleet([`web: ${server({ command: ['no-such-program'] })}`])
      const files = await bundleOf(fleet, await fleet.run(['up']))
      expect(files['summary.txt']).toMatch(
        /^FAILED {2}web: .*no-such-program.*\n {2}code {3}COMMAND_NOT_FOUND\n {2}where {2}testfleet\.yaml:3:/,
      )
      expect(JSON.parse(files['servers/web/inspect.json'] ?? '').Config.Cmd).toEqual(['no-such-program'])
    },
  )
})

describe.concurrent('the bundle of a server that is not ready', () => {
  test('because it died has its whole log, with times and streams', async () => {
    const script = 'for n in $(seq 300); do echo "line $n"; done; sleep 0.2; echo "the reason" >&2; sleep 0.3; exit 9'
    const fleet = await makeFleet([`web: ${server({ command: shell(script), ready: [{ log: 'never' }] })}`])
    const files = await bundleOf(fleet, await fleet.run(['up']))
    const log = (files['servers/web/container.log'] ?? '').trimEnd().split('\n')
    expect(log).toHaveLength(301)
    expect(log.filter((line) => new RegExp(`^${TIME} stdout line \\d+$`).test(line))).toHaveLength(300)
    expect(log.filter((line) => new RegExp(`^${TIME} stderr the reason$`).test(line))).toHaveLength(1)
    expect(files['summary.txt']).toMatch(
      /^FAILED {2}web ended with exit code 9 before it was ready\n {2}code {3}SERVER_DIED\n {2}where {2}testfleet\.yaml:3:8\n/,
    )
    expect(files['summary.txt']).toContain('  | the reason\n')
    expect(files['summary.txt']).toMatch(/^ {2}web {2}exit code 9 {2}log "never": not in the \d+ lines/m)
    expect(readLines(files['engine-events.ndjson']).map(({ Action }) => Action)).toContain('die')
  })

  test(
    'because its readyTimeout passed has every answer of its ready checks, and of those of other servers',
    wide,
    async () => {
      const checked = { command: ['sleep', '600'], readyTimeout: '3s' }
      const fleet = await makeFleet([
        `first: ${server({ command: ['sleep', '600'], ready: [{ exec: ['true'] }] })}`,
        `web: ${server({ ...checked, dependsOn: ['first'], ready: [{ exec: shell('echo "not\tyet"; exit 3') }] })}`,
      ])
      const result = await fleet.run(['up'])
      expect(result.exitCode).toBe(4)
      const files = await bundleOf(fleet, result)
      const rows = (files['servers/web/probes.tsv'] ?? '').trimEnd().split('\n')
      expect(rows[0]).toBe('time\tcheck\tanswer')
      expect(rows.slice(1).every((row) => row.split('\t').length === 3)).toBe(true)
      expect(rows.at(-1)).toMatch(new RegExp(`^${TIME}\texec sh\texits with 3: not\\\\tyet$`))
      expect(rows.length).toBeGreaterThan(3)
      expect(files['servers/first/probes.tsv']).toMatch(/\texec true\tpasses\n$/)
      expect(files['summary.txt']).toContain('  code   READY_TIMEOUT\n')
      expect(files['summary.txt']).toMatch(/^ {2}first {2}running {2}exec true: passes$/m)
      expect(files['summary.txt']).toMatch(
        /^ {2}web {4}running {2}exec sh: exits with 3: notyet$|exec sh: exits with 3: not\tyet$/m,
      )
      const kinds = readLines(files['events.ndjson']).map(({ kind }) => kind)
      expect(kinds).toEqual(expect.arrayContaining(['planned', 'starting', 'ready', 'failed']))
    },
  )

  test('because the call reached its --timeout is complete', wide, async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['sleep', '600'], ready: [{ exec: ['false'] }] })}`])
    const result = await fleet.run(['up', '--json', '--timeout', '6s'])
    expect(result.exitCode).toBe(4)
    expect(readError(result)).toMatchObject({ code: 'TIMED_OUT', message: 'the call took longer than 6 s' })
    expect(readError(result)).not.toHaveProperty('bundleProblem')
    const files = await readBundle(readError(result).bundle ?? '')
    expect(files['summary.txt']).toMatch(/^FAILED {2}the call took longer than 6 s\n {2}code {3}TIMED_OUT\n/)
    expect(files['summary.txt']).toMatch(/^ {2}web {2}running {2}exec false: exits with 1$/m)
    expect(readLines(files['engine-events.ndjson']).map(({ Action }) => Action)).toContain('start')
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('includes the servers that an earlier call started', wide, async () => {
    const lines = [`first: ${server({ command: shell('echo said before; exec sleep 600') })}`]
    const fleet = await makeFleet(lines)
    expect((await fleet.run(['up'])).exitCode).toBe(0)
    await fleet.rewrite([...lines, `web: ${server({ command: ['false'], ready: [{ log: 'never' }] })}`])
    const files = await bundleOf(fleet, await fleet.run(['up', 'web']))
    expect(files['servers/first/container.log']).toContain(' stdout said before\n')
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })
})

describe.concurrent('the bundle of a command that fails under `run`', () => {
  const lines = [`web: ${server({ command: shell('echo serving; exec sleep 600') })}`]

  test('is written before the servers are removed, and reported; the exit code is that of the command', async () => {
    const fleet = await makeFleet(lines)
    const archive = join(fleet.folder, 'failure.tar.gz')
    const result = await fleet.run(['run', '--bundle', 'failure.tar.gz', '--', 'sh', '-c', 'echo mine; exit 3'])
    expect(result).toMatchObject({ exitCode: 3, stdout: 'mine\n' })
    expect(result.stderr).toContain(
      `the command ended with exit code 3\nfailure bundle as one file: ${archive}\nfailure bundle, summary.txt first: `,
    )
    const files = await bundleOf(fleet, result)
    expect(files['summary.txt']).toMatch(/^FAILED {2}the command ended with exit code 3: sh\n/)
    expect(files['summary.txt']).toContain('The end of the log of web\n  | serving\n')
    expect(files['summary.txt']).toMatch(/^ {2}web {2}running$/m)
    expect(JSON.parse(files['servers/web/inspect.json'] ?? '').State.Running).toBe(true)
    expect(await readBundle(await unpack(archive))).toEqual(files)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('is not written for a person at a terminal, unless a server ended as well', async () => {
    const fleet = await makeFleet([
      `web: ${server({ command: shell('until [ -e /die ]; do sleep 0.1; done; exit 4') })}`,
    ])
    // `script` gives the call a terminal.
    const prefix = [
      'script',
      '--quiet',
      '--return',
      '/dev/null',
      '--command',
      'exec "$CALL" "$MAIN" run -- sh -c "$SCRIPT"',
    ]
    const env = { SHELL: '/bin/sh', CALL: process.execPath, MAIN: mainFile }
    const atTerminal = (script: string) =>
      fleet.run([], { prefix, isBare: true, env: { ...env, SCRIPT: script, TERM: 'xterm' } })
    const plain = await atTerminal('exit 3')
    expect(plain).toMatchObject({ exitCode: 3, stdout: expect.not.stringContaining('failure bundle') })
    expect(await findBundles(join(fleet.folder, 'tmp'))).toEqual([])
    const exec = '"$CALL" "$MAIN" exec web --'
    const killing = await atTerminal(`${exec} touch /die; while ${exec} true; do sleep 0.3; done 2> /dev/null; exit 5`)
    expect(killing.exitCode).toBe(5)
    expect(killing.stdout).toContain('web ended with exit code 4 while the command ran')
    expect(killing.stdout).toContain('failure bundle, summary.txt first: ')
  })

  test('is not written for a command that succeeds or that a signal to testfleet ended', wide, async () => {
    const fleet = await makeFleet(lines)
    expect((await fleet.run(['run', '--', 'true'])).exitCode).toBe(0)
    const running = fleet.start([
      'run',
      '--',
      'sh',
      '-c',
      'trap "exit 5" TERM; echo waiting; while :; do sleep 0.1; done',
    ])
    await running.waitForOutput(/^waiting$/m)
    running.kill('SIGTERM')
    expect((await running.result).exitCode).toBe(5)
    expect(await findBundles(join(fleet.folder, 'tmp'))).toEqual([])
  })
})

describe.concurrent('secrets in a bundle', () => {
  const inEnvironment = 'pass"word\\with <odd> & größe/letters'
  const inFile = `-----BEGIN KEY-----\n${randomBytes(30).toString('base64')}\n${randomBytes(30).toString('base64')}\n`
  const tell = [
    'echo "plain $KEY"',
    'perl -MMIME::Base64 -e \'$k = $ENV{KEY}; print "base64 ", encode_base64("app:$k", ""), "\\n"; $k =~ s/([^A-Za-z0-9])/sprintf "%%%02X", ord $1/ge; print "url http://app:$k\\@db/\\n"\'',
    'perl -e \'print "x" x 16380, "$ENV{KEY}\\n"\'',
    'cat /run/secrets/MADE; echo; cat /run/secrets/pem >&2; echo "read $(cat /run/secrets/MADE)" ',
  ].join('; ')
  const lines = [
    `first: ${server({
      command: shell(`${tell}; exec sleep 600`),
      ready: [{ log: 'read' }],
      environment: { KEY: { secret: 'KEY' }, MADE: { secret: 'MADE' } },
      secrets: { KEY: { env: 'GIVEN_KEY' }, MADE: { generate: 20 }, pem: { file: 'key.pem' } },
      ports: [80],
      export: { URL: 'http://app:${secret.MADE}@${host}:${port.80}/' },
    })}`,
    `web: ${server({
      command: shell(`${tell}; echo "$MADE" > /made; sleep 1; exit 9`),
      dependsOn: ['first'],
      ready: [{ exec: shell('echo "no: $KEY"; exit 1') }],
      environment: { KEY: { secret: 'KEY' }, MADE: { secret: 'MADE' } },
      secrets: { KEY: { env: 'GIVEN_KEY' }, MADE: { generate: 20 }, pem: { file: 'key.pem' } },
    })}`,
  ]
  const env = { GIVEN_KEY: inEnvironment }
  const pemLines = inFile.split('\n').filter((line) => line.length > 20)
  const planted = [inEnvironment, ...pemLines].flatMap(formsOfSecret)

  function expectNone(texts: readonly string[], values: readonly string[]): void {
    for (const text of texts) for (const value of values) expect(text.includes(value), value).toBe(false)
  }

  test('are masked in every file, archive and message, in every encoding', wide, async () => {
    const fleet = await makeFleet(lines, { 'key.pem': inFile })
    // One that this call does not start, and whose generated secret only its container has.
    expect((await fleet.run(['up', 'first'], { env })).exitCode).toBe(0)
    const made = await fleet.exec('first', 'cat', '/run/secrets/MADE')
    expect(made).toMatch(/^[A-Za-z0-9]{20}$/)
    const result = await fleet.run(['up', '--json', '--verbose', '--bundle', 'out.tar.gz'], { env })
    expect(result.exitCode).toBe(1)
    const error = readError(result)
    expect(error).toMatchObject({ code: 'SERVER_DIED', archive: join(fleet.folder, 'out.tar.gz') })
    const files = await readBundle(error.bundle ?? '')
    const unpacked = await readBundle(await unpack(join(fleet.folder, 'out.tar.gz')))
    expect(unpacked).toEqual(files)
    expectNone([...Object.values(files), result.stdout, result.stderr], [...planted, ...formsOfSecret(made)])
    // It was there to be found, and what is not secret stays.
    expect(files['servers/web/container.log']).toContain(' stdout plain ***\n')
    expect(files['servers/first/container.log']).toContain('base64 ')
    expect(files['servers/first/container.log']).toMatch(/ stdout read \*\*\*\n/)
    expect(JSON.parse(files['servers/web/inspect.json'] ?? '').Config.Env).toContain('KEY=***')
    // The generated secret of web is in the log as the mask.
    expect(files['servers/web/container.log']).toMatch(/ stdout \*\*\*\n/)
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })

  test('are masked in the bundle of `run` and in errors of the library', wide, async () => {
    const fleet = await makeFleet(lines.slice(0, 1), { 'key.pem': inFile })
    const script = 'echo "$URL" > made; exit 4'
    const result = await fleet.run(['run', '--', 'sh', '-c', script], { env })
    expect(result.exitCode).toBe(4)
    const made = /app:(\w{20})@/.exec(await readFile(join(fleet.folder, 'made'), 'utf8'))?.[1] ?? ''
    expect(made).toHaveLength(20)
    const files = await bundleOf(fleet, result)
    expectNone([...Object.values(files), result.stderr], [...planted, ...formsOfSecret(made)])
  })
})

describe.concurrent('an error of the library', () => {
  test('names the folder and the archive of the bundle, and contains no secret', wide, async () => {
    const fleet = await makeFleet([])
    const value = `secret-${randomBytes(9).toString('hex')}`
    await writeFile(join(fleet.folder, 'value'), value)
    const error: unknown = await startFleet(
      {
        name: fleet.name,
        servers: {
          web: {
            image: base,
            command: shell('echo "with $KEY"; exit 9'),
            ready: [{ log: 'never' }],
            environment: { KEY: { secret: 'KEY' } },
            secrets: { KEY: { file: 'value' } },
          },
        },
      },
      { folder: fleet.folder, bundle: 'out.tar.gz' },
    ).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TestfleetError)
    const failure = error as InstanceType<typeof TestfleetError>
    expect(failure).toMatchObject({
      code: 'SERVER_DIED',
      archive: join(fleet.folder, 'out.tar.gz'),
      bundleProblem: undefined,
    })
    const files = await readBundle(failure.bundle ?? '')
    await rm(failure.bundle ?? '', { recursive: true })
    expect(await readBundle(await unpack(failure.archive ?? ''))).toEqual(files)
    expect(files['summary.txt']).toBe(failure.summary)
    const { inspect } = await import('node:util')
    for (const text of [...Object.values(files), inspect(failure, { depth: 9 })]) expect(text).not.toContain(value)
  })

  test('refuses an archive path that cannot be written, before the call changes anything', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const options = { folder: fleet.folder, bundle: 'no/such/folder.tar.gz' }
    await expect(startFleet('testfleet.yaml', options)).rejects.toMatchObject({ code: 'USAGE' })
    for (const file of ['no/such/folder.tar.gz', '', 'tmp']) {
      expect(await fleet.run(['up', '--bundle', file])).toMatchObject({ exitCode: 2, stdout: '' })
    }
  })
})

describe.concurrent('a bundle that cannot be written', () => {
  const lines = [`web: ${server({ command: shell('seq 20000; exit 9'), ready: [{ log: 'never' }] })}`]

  test.skipIf(process.getuid?.() !== 0)(
    'because the disk is full is reported, and keeps what could be written (needs root to mount)',
    async () => {
      const fleet = await makeFleet(lines)
      const small = join(fleet.folder, 'small')
      await mkdir(small)
      const unmount = await mountTmpfs(small, 'size=32k')
      try {
        const result = await fleet.run(['up'], { env: { TMPDIR: small } })
        expect(result.exitCode).toBe(1)
        expect(messageOf(result)).toMatch(/^error: web ended with exit code 9 before it was ready\n/)
        expect(result.stderr).toMatch(/^the failure bundle is not complete: .*the disk is full/m)
        const [folder = ''] = await findBundles(small)
        const { 'summary.txt': summary } = await readBundle(folder)
        expect(summary).toMatch(/^FAILED {2}web ended with exit code 9/)
      } finally {
        await unmount()
      }
    },
  )

  test.skipIf(process.getuid?.() !== 0)(
    'because the folder is read-only is reported (needs root to mount)',
    wide,
    async () => {
      const fleet = await makeFleet(lines)
      const fixed = join(fleet.folder, 'fixed')
      await mkdir(fixed)
      const unmount = await mountTmpfs(fixed, 'ro')
      try {
        const words = ['up', '--json', '--bundle', 'out.tar.gz']
        const result = await fleet.run(words, { env: { TMPDIR: fixed } })
        expect(result.exitCode).toBe(1)
        expect(readError(result)).toMatchObject({
          code: 'SERVER_DIED',
          bundleProblem: `${fixed}: its file system is read-only`,
        })
        expect(result.stderr).toContain(`there is no failure bundle: ${fixed}: its file system is read-only\n`)
      } finally {
        await unmount()
      }
    },
  )

  test('because the folder does not exist is reported', wide, async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['up'], { env: { TMPDIR: join(fleet.folder, 'missing') } })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/^there is no failure bundle: .*\/missing: /m)
  })
})

describe.concurrent('in a CI job, the summary of a failure', () => {
  const hostile = 'echo "::set-output name=a::b"; echo "##[error]forged"; printf "a\\r::warning::forged\\n"; exit 9'
  const lines = [`web: ${server({ command: shell(hostile), ready: [{ log: 'never' }] })}`]

  test('is a folded group on GitHub, and the logs of servers cannot issue workflow commands', async () => {
    const fleet = await makeFleet(lines)
    const { stderr } = await fleet.run(['up'], { env: { CI: 'true', GITHUB_ACTIONS: 'true' } })
    const [, token = '', summary = ''] =
      /^::group::testfleet: summary of the failure\n::stop-commands::(\w{32})\n([\s\S]*)\n::\1::\n::endgroup::\n$/m.exec(
        stderr,
      ) ?? []
    expect(token).toHaveLength(32)
    expect(summary).toMatch(/^FAILED {2}web ended/)
    expect(summary).toContain('set-output')
    expect(summary).not.toMatch(/^\s*::|##\[|\r/m)
  })

  test('is a collapsed section on GitLab', wide, async () => {
    const fleet = await makeFleet(lines)
    const { stderr } = await fleet.run(['up'], { env: { CI: 'true', GITLAB_CI: 'true' } })
    const esc = String.fromCharCode(27)
    const sections = stderr.split(`${esc}[0K`)
    expect(sections).toHaveLength(5)
    expect(sections[1]).toMatch(/^section_start:\d+:testfleet_failure_\w+\[collapsed=true\]\r$/)
    expect(sections[2]).toMatch(/^testfleet: summary of the failure\nFAILED {2}web ended/)
    expect(sections[3]).toMatch(/^section_end:\d+:testfleet_failure_\w+\r$/)
  })

  test.each<[string, Record<string, string>, string[], boolean]>([
    ['is between two marked lines on any other CI', { CI: 'true' }, [], true],
    ['is not printed with CI=false', { CI: 'false' }, [], false],
    ['is not printed without CI', {}, [], false],
    ['is not printed with --quiet', { CI: 'true', GITHUB_ACTIONS: 'true' }, ['--quiet'], false],
  ])('%s', wide, async (_, env, words, isTold) => {
    const fleet = await makeFleet(lines)
    const { stderr } = await fleet.run(['up', ...words], { env })
    const heading =
      /^--- testfleet: summary of the failure ---\nFAILED[\s\S]*\n--- end of the summary of the failure ---\n$/m
    expect(heading.test(stderr)).toBe(isTold)
    expect(stderr).not.toContain('::group::')
  })

  test('leaves stdout one document with --json, and is printed under `run` as well', wide, async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['up', '--json'], { env: { CI: '1' } })
    expect(readError(result)).toMatchObject({ code: 'SERVER_DIED' })
    await fleet.rewrite([`web: ${sleeper}`])
    const run = await fleet.run(['run', '--', 'false'], { env: { CI: '1' } })
    expect(run.stderr).toContain('\nFAILED  the command ended with exit code 1: false\n')
  })
})
