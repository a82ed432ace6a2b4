import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'
import { openEngineRelay } from '../support/engine-relay.ts'
import {
  closesAtOnce,
  findClosedPort,
  httpAnswer,
  leaveDeadSocket,
  openFalseEngine,
  says,
  saysNothing,
  speaksApi,
  type Talk,
} from '../support/false-engine.ts'
import { runWithoutOverride } from '../support/ordinary-user.ts'
import { wide, wideIf } from '../support/tiers.ts'

/** The promise is a second for the whole process, of which a busy machine takes any part: this is for its waits. */
const PROMISED_MS = 600

const fleet = `name: nowhere
servers:
  web: { build: { run: ["true"] }, ports: [80] }
  db: { image: "debian:bookworm-slim", dependsOn: [web] }
`

let folder: string
beforeAll(async () => {
  folder = await makeFleetFolder({
    'testfleet.yaml': fleet,
    'broken/config.json': '{ "auths": { "registry.example": { "auth": "c2VjcmV0" }',
    'gone/config.json': '{ "currentContext": "gone" }',
    file: '',
  })
})
afterAll(removeFleetFolders)

type Variables = Readonly<Record<string, string | undefined>>

interface TimedResult extends CommandResult {
  /** How long it has waited for its own timers. */
  readonly waitedMs: number
}

let calls = 0
const countWaits = `--import=${new URL('../support/count-waits.mjs', import.meta.url)}`

/** With nothing of this machine's own settings. */
async function call(words: readonly string[], env: Variables, run = runTestfleet): Promise<TimedResult> {
  const none = {
    DOCKER_HOST: undefined,
    DOCKER_CONTEXT: undefined,
    DOCKER_CONFIG: folder,
    DOCKER_TLS_VERIFY: undefined,
  }
  const waited = { NODE_OPTIONS: countWaits, WAITED: join(folder, `waited-${calls++}`) }
  const result = await run(words, { cwd: folder, env: { ...none, ...waited, ...env } })
  const waits = (await readFile(waited.WAITED, 'utf8')).trim().split('\n').map(Number)
  return { ...result, waitedMs: Math.max(...waits) }
}

const someCalls = ['up', 'ps', 'doctor', 'down', 'build', 'plan']
/** Every command that needs an engine. */
const allCalls = [...someCalls, 'run -- true', 'endpoints', 'logs', 'exec web -- true', 'rm web', 'rmi']

/** On stderr in words, on stdout as JSON. */
async function expectRefusal(env: Variables, code: string, message: string, hint: string | undefined): Promise<void> {
  const { stdout, stderr, exitCode, waitedMs } = await call(['up', '--json'], env)
  expect(stderr).toBe(`error: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`)
  expect(JSON.parse(stdout)).toEqual({ error: { code, message, hint } })
  expect(exitCode).toBe(3)
  expect(waitedMs).toBeLessThan(PROMISED_MS)
}

const startIt = (origin: string): string =>
  `${origin} names this engine. Start it, or name another with --engine or DOCKER_HOST` +
  `${origin.startsWith('DOCKER_') ? `, or unset ${origin} to use the usual sockets` : ''}.`

const somethingElse = 'Check --engine, DOCKER_HOST and the docker context: another program uses this address.'

for (const words of someCalls)
  test(
    `${words} refuses an engine on another machine without TLS, unless it is allowed explicitly`,
    wideIf(words !== 'up'),
    async () => {
      const result = await call([words], { DOCKER_HOST: 'tcp://engine.invalid:2375' })
      expect(result.stderr).toMatch(
        /^error: the engine at tcp:\/\/engine\.invalid:2375 \(DOCKER_HOST\) is reached without TLS:/,
      )
      expect(result.stderr).toContain('ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST')
      expect(result).toMatchObject({ exitCode: 3, stdout: '' })
    },
  )

test('doctor warns about an engine that every user of this machine can reach', async () => {
  await using relay = await openEngineRelay()
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${relay.port}` }
  const problem = 'It is reached over plain TCP at this machine: every user and every program here is root by it.'
  const advice =
    'Use its unix socket, which only its group may open, or TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH).'
  const { exitCode, stdout } = await call(['doctor'], env)
  expect(stdout).toContain(`! ${problem}\n  ${advice}\n`)
  expect(exitCode).toBe(0)
  expect(JSON.parse((await call(['doctor', '--json'], env)).stdout).findings).toContainEqual({ problem, advice })
  expect((await call(['doctor'], {})).stdout).not.toContain('plain TCP')
})

describe('without an engine', () => {
  for (const words of allCalls)
    test(
      `testfleet ${words} exits with 3 within a second`,
      wideIf(!['up', 'run -- true', 'ps'].includes(words)),
      async () => {
        const result = await call(words.split(' '), { DOCKER_HOST: `unix://${folder}/none.sock` })
        expect(result.stderr).toBe(
          `error: no engine answers at unix://${folder}/none.sock (DOCKER_HOST): the socket does not exist\n` +
            `hint: ${startIt('DOCKER_HOST')}\n`,
        )
        expect(result).toMatchObject({ exitCode: 3, stdout: '' })
        expect(result.waitedMs).toBeLessThan(PROMISED_MS)
      },
    )

  test('a socket whose listener is dead is reported', async () => {
    const url = `unix://${await leaveDeadSocket(folder)}`
    const message = `no engine answers at ${url} (DOCKER_HOST): nothing listens there`
    await expectRefusal({ DOCKER_HOST: url }, 'NO_ENGINE', message, startIt('DOCKER_HOST'))
  })

  test('a file that is not a socket is reported', async () => {
    const url = `unix://${folder}/file`
    const message = `no engine answers at ${url} (DOCKER_HOST): nothing listens there`
    await expectRefusal({ DOCKER_HOST: url }, 'NO_ENGINE', message, startIt('DOCKER_HOST'))
  })

  test('a path that is too long for a socket is reported', async () => {
    const url = `unix://${folder}/${'x'.repeat(120)}`
    const message = `no engine answers at ${url} (DOCKER_HOST): the path is too long for a socket`
    await expectRefusal({ DOCKER_HOST: url }, 'NO_ENGINE', message, startIt('DOCKER_HOST'))
  })

  test('a closed TCP port is reported', async () => {
    const url = `tcp://127.0.0.1:${await findClosedPort()}`
    const message = `no engine answers at ${url} (DOCKER_HOST): nothing listens there`
    await expectRefusal({ DOCKER_HOST: url }, 'NO_ENGINE', message, startIt('DOCKER_HOST'))
  })

  test('--engine takes precedence over the environment', async () => {
    const result = await call(['ps', '--engine', `unix://${folder}/asked.sock`], {
      DOCKER_HOST: `unix://${folder}/none`,
    })
    expect(result.stderr).toBe(
      `error: no engine answers at unix://${folder}/asked.sock (--engine): the socket does not exist\n` +
        `hint: ${startIt('--engine')}\n`,
    )
    expect(result.exitCode).toBe(3)
  })

  test('`run` does not start its command', async () => {
    const result = await call(['run', '--', 'echo', 'it ran'], { DOCKER_HOST: `unix://${folder}/none.sock` })
    expect(result).toMatchObject({ exitCode: 3, stdout: '' })
  })
})

describe('a listener that is not a usable engine is reported', () => {
  async function expectAnswer(
    talk: Talk,
    code: string,
    message: (url: string) => string,
    hint: string,
    env: Variables = {},
  ): Promise<void> {
    await using engine = await openFalseEngine(talk)
    await expectRefusal({ ...env, DOCKER_HOST: engine.url }, code, message(engine.url), hint)
  }

  test.each<[string, Talk, string]>([
    ['closes at once', closesAtOnce, 'the connection was cut before an answer came'],
    ['reads the request and closes', says(''), 'the connection was cut before an answer came'],
    ['speaks another protocol', says('SSH-2.0-OpenSSH_9.2\r\n'), 'its answer is not HTTP'],
    [
      'is a web server',
      says(httpAnswer('200 OK', { 'content-type': 'text/html' }, '<html>\n<body>It works!</body></html>')),
      'it answers HTTP 200, "<html> <body>It works!</body></html>"',
    ],
    [
      'is a proxy without a server',
      says(httpAnswer('502 Bad Gateway', { 'content-type': 'text/html' }, '<h1>502 Bad Gateway</h1>')),
      'it answers HTTP 502, "<h1>502 Bad Gateway</h1>"',
    ],
    [
      'closes in the middle of its answer',
      says('HTTP/1.1 200 OK\r\napi-version: 1.41\r\ncontent-length: 9\r\n\r\nO'),
      'the connection was cut before an answer came',
    ],
    [
      'requires TLS',
      says('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'),
      'it requires TLS (set DOCKER_TLS_VERIFY=1)',
    ],
    [
      'answers a ping like an engine, and everything else with HTML',
      speaksApi('1.41', httpAnswer('200 OK', {}, '<html>')),
      'its answer is not the expected JSON',
    ],
  ])('when it %s', async (_, talk, why) => {
    await expectAnswer(
      talk,
      'ENGINE_NOT_DOCKER',
      (url) => `${url} (DOCKER_HOST) is not a Docker engine: ${why}`,
      somethingElse,
    )
  })

  test.each<[string, Talk]>([
    ['accepts the connection and hangs', saysNothing],
    ['begins its answer and hangs', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nO')],
  ])('when it %s', async (_, talk) => {
    await expectAnswer(
      talk,
      'ENGINE_TIMEOUT',
      (url) => `the engine at ${url} (DOCKER_HOST) did not answer within 0.5 s`,
      'The engine hangs, is starting, or cannot be reached from here. Look at its log, then try again. ' +
        'Set TESTFLEET_ENGINE_TIMEOUT to give it more time.',
      { TESTFLEET_ENGINE_TIMEOUT: '500ms' },
    )
  })

  test.each(someCalls)('by testfleet %s within TESTFLEET_ENGINE_TIMEOUT when it hangs', wide, async (words) => {
    await using engine = await openFalseEngine(saysNothing)
    const env = { DOCKER_HOST: engine.url, TESTFLEET_ENGINE_TIMEOUT: '500ms' }
    const result = await call(words.split(' '), env)
    expect(result).toMatchObject({ exitCode: 3, stdout: '' })
    expect(result.waitedMs).toBeLessThan(PROMISED_MS)
  })

  test('when it is too old', async () => {
    await expectAnswer(
      speaksApi('1.30', ''),
      'ENGINE_TOO_OLD',
      (url) => `the engine at ${url} supports the API up to version 1.30; testfleet needs 1.40`,
      'Install Docker Engine 19.03 or newer, or Podman 4 or newer.',
    )
  })

  test('when it no longer supports our version of the API', async () => {
    const words = 'client version 1.51 is too old. Minimum supported API version is 1.90, please upgrade your client'
    await expectAnswer(
      speaksApi('1.99', httpAnswer('400 Bad Request', {}, JSON.stringify({ message: words }))),
      'ENGINE_TOO_OLD',
      (url) => `the engine at ${url} supports the API from version 1.90 on; this testfleet supports it up to 1.51`,
      'Install a newer testfleet, or an older engine.',
    )
  })

  test('when it goes away after its first answer', async () => {
    await using engine = await openFalseEngine(speaksApi('1.41', ''))
    const result = await call(['ps'], { DOCKER_HOST: engine.url })
    expect(result.stderr).toBe(
      `error: the connection to the engine at ${engine.url} broke during GET /volumes: ` +
        "the connection was cut before an answer came\nhint: Look at the engine's log: it may have stopped.\n",
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

describe('an engine that the user may not use', () => {
  const hint =
    'Add the user to the docker group (sudo usermod -aG docker "$USER", then log in again), or use rootless Docker.'

  for (const words of someCalls)
    test(`makes testfleet ${words} explain how to get access`, wideIf(words !== 'up'), async () => {
      await using engine = await openFalseEngine(saysNothing)
      await chmod(engine.url.slice('unix://'.length), 0)
      const result = await call(words.split(' '), { DOCKER_HOST: engine.url }, runWithoutOverride)
      expect(result.stderr).toBe(
        `error: this user may not use the engine at ${engine.url} (DOCKER_HOST)\nhint: ${hint}\n`,
      )
      expect(result).toMatchObject({ exitCode: 3, stdout: '' })
      expect(result.waitedMs).toBeLessThan(PROMISED_MS)
      expect(engine.calls).toBe(0)
    })
})

describe('settings of the docker command that cannot be used are reported', () => {
  const refusals: [string, Variables, string, string | undefined][] = [
    [
      'an engine over SSH',
      { DOCKER_HOST: 'ssh://someone:password@far.example' },
      'DOCKER_HOST names the engine "ssh://…@far.example": SSH is not supported',
      'Forward its socket (ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock; ' +
        'published ports are then ports of the remote host.',
    ],
    [
      'a path instead of a URL',
      { DOCKER_HOST: '/run/docker.sock' },
      'DOCKER_HOST names the engine "/run/docker.sock": it has no scheme; ' +
        'supported are unix://, npipe://, tcp://, http:// and https://. Do you mean unix:///run/docker.sock?',
      undefined,
    ],
    [
      'an invalid port',
      { DOCKER_HOST: 'tcp://127.0.0.1:99999' },
      'DOCKER_HOST names the engine "tcp://127.0.0.1:99999": 99999 is not a port',
      undefined,
    ],
  ]
  test.each(refusals)('%s', async (_, env, message, hint) => {
    await expectRefusal(env, 'ENGINE_CONFIGURATION', message, hint)
  })

  const noContext = 'Run `docker context ls` to list the contexts, or name an engine by its URL with --engine.'
  // The docker command's own way to name a context's folder: the SHA-256 of its name.
  const metaOfGone = 'contexts/meta/283bb9deef02e6843abfb538efa1eca70801bd8a701c3f98191e123496339247/meta.json'

  test('a context that does not exist', async () => {
    const message = `DOCKER_CONTEXT names the context "gone", which does not exist: no ${join(folder, metaOfGone)}`
    await expectRefusal({ DOCKER_CONTEXT: 'gone' }, 'ENGINE_CONFIGURATION', message, noContext)
  })

  test('a context of config.json that does not exist', async () => {
    const home = join(folder, 'gone')
    const message = `${home}/config.json names the context "gone", which does not exist: no ${join(home, metaOfGone)}`
    await expectRefusal({ DOCKER_CONFIG: home }, 'ENGINE_CONFIGURATION', message, noContext)
  })

  test('certificates that do not exist', async () => {
    const env = { DOCKER_HOST: 'tcp://127.0.0.1:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }
    const message = `${folder}/ca.pem does not exist, but DOCKER_CERT_PATH needs it`
    const hint = 'Put ca.pem, cert.pem and key.pem for the engine into that folder.'
    await expectRefusal(env, 'ENGINE_CONFIGURATION', message, hint)
  })

  test.each(someCalls)('and testfleet %s exits with 3', wide, async (words) => {
    const result = await call(words.split(' '), { DOCKER_CONTEXT: 'gone' })
    expect(result).toMatchObject({ exitCode: 3, stdout: '' })
    expect(result.waitedMs).toBeLessThan(PROMISED_MS)
  })
})

test('a broken config.json is ignored, with a warning that quotes nothing from it', async () => {
  const why = 'is not a JSON object; it is ignored, including its logins, contexts and proxies'
  const result = await call(['plan'], { DOCKER_CONFIG: join(folder, 'broken') })
  expect(result).toMatchObject({ exitCode: 0, stderr: `warning: ${folder}/broken/config.json ${why}\n` })
  expect(result.stdout).toContain('session nowhere')
})

test('completion offers no sessions and prints no error when the engine does not answer', wide, async () => {
  await using engine = await openFalseEngine(saysNothing)
  const result = await call(['completion', 'bash', '--', '--session', ''], { DOCKER_HOST: engine.url })
  expect(result).toMatchObject({ exitCode: 0, stdout: 'words\n', stderr: '' })
  expect(engine.calls).toBeGreaterThan(0)
})

describe('calls that need no engine', () => {
  for (const words of ['check', 'schema', 'version', 'help', 'up --help', 'init -f new.yaml'])
    test(`testfleet ${words} does not contact one`, wideIf(words !== 'check'), async () => {
      await using engine = await openFalseEngine(saysNothing)
      const result = await call(words.split(' '), { DOCKER_HOST: engine.url })
      expect(result).toMatchObject({ exitCode: 0, stderr: '' })
      expect(engine.calls).toBe(0)
    })

  test('check does not read the settings of the docker command', async () => {
    const result = await call(['check'], { DOCKER_CONFIG: join(folder, 'broken') })
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout).toMatch(/^testfleet\.yaml is valid: 2 servers\n/)
  })

  test.each(['up --nope', 'upp', 'exec web', 'up wbe', 'up -f missing.yaml'])(
    'a wrong call does not contact one: testfleet %s',
    async (words) => {
      await using engine = await openFalseEngine(saysNothing)
      const result = await call(words.split(' '), { DOCKER_HOST: engine.url })
      expect(result).toMatchObject({ exitCode: 2, stdout: '' })
      expect(engine.calls).toBe(0)
    },
  )
})
