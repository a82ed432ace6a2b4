import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { countLeftovers, withEngine } from '../support/command.ts'
import {
  base,
  endFleets,
  foreignContainer,
  makeFleet,
  messageAboveBundle,
  messageOf,
  readError,
  server,
  sleeper,
  webServer,
} from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

// Not after each: they are at work side by side.
afterAll(endFleets)

describe.concurrent('an image that is not available is reported', () => {
  // A name that no network knows (RFC 6761), so that a machine with one answers the same.
  const reference = 'registry.invalid/no-such:1'
  const hint =
    'The engine cannot reach registry.invalid. On a machine without that network, load the image another way ' +
    '(docker load), or build it: `build` needs no registry when its base image exists locally.'

  test.each([
    ['when a build starts from it', ['web:', '  build:', `    from: ${reference}`, '    packages: [nginx]'], 5, 13],
    ['when a server runs it', ['web:', `  image: ${reference}`], 4, 12],
  ])('%s', wide, async (_, lines, line, column) => {
    const fleet = await makeFleet(lines)
    const text = await fleet.run(['up'])
    expect(messageOf(text)).toMatch(
      new RegExp(
        `^error: the image ${reference} could not be pulled: .*registry\\.invalid.*\n` +
          `  asked for at testfleet\\.yaml:${line}:${column}\nhint: `,
      ),
    )
    expect(text).toMatchObject({ exitCode: 1, stdout: '' })
    const json = await fleet.run(['up', '--json', '--quiet'])
    expect(readError(json)).toMatchObject({ code: 'PULL_FAILED', server: 'web', hint, line, column })
  })
})

describe.concurrent('a build that fails is reported with its cause', () => {
  test('when a package does not exist', wide, async () => {
    const fleet = await makeFleet([
      'web:',
      '  build:',
      '    packages: [no-such-package-at-all]',
      `  command: [sleep, "9"]`,
    ])
    const result = await fleet.run(['up', '--json'])
    expect(readError(result)).toMatchObject({
      code: 'BUILD_FAILED',
      message: 'the image of web could not be built: `packages no-such-package-at-all` failed with exit code 100',
      server: 'web',
      line: 5,
      column: 17,
      hint: 'Check the spelling of the package no-such-package-at-all, and whether this release of the base image has it.',
    })
    expect(readError(result).output).toContain('E: Unable to locate package no-such-package-at-all')
    expect(result.stderr).toContain('  | E: Unable to locate package no-such-package-at-all\n')
    expect(result.exitCode).toBe(1)
  })

  test('when a line of `run` fails', async () => {
    const fleet = await makeFleet([
      'web:',
      '  build:',
      '    run:',
      '      - echo fine',
      '      - echo out; echo err >&2; exit 7',
      '      - echo never',
    ])
    const result = await fleet.run(['build'])
    const lines = messageAboveBundle(fleet, result).split('\n')
    expect(lines.slice(0, 2)).toEqual([
      'error: the image of web could not be built: `run echo out; echo err >&2; exit 7` failed with exit code 7',
      '  asked for at testfleet.yaml:7:11',
    ])
    // The engine reads a step's two streams side by side: which of two lines comes first is left to chance.
    expect(lines.slice(2).sort()).toEqual(['', '  | err', '  | out'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
  })

  test('when the base image of the fleet fails', wide, async () => {
    const fleet = await makeFleet(['web: { build: {} }', 'base: {}'])
    await writeFile(
      join(fleet.folder, 'testfleet.yaml'),
      `name: ${fleet.name}\nbase:\n  run:\n    - exit 3\nservers:\n  a: { build: { run: ["true"] } }\n  b: { build: { run: ["false"] } }\n`,
    )
    const result = await fleet.run(['up'])
    expect(messageAboveBundle(fleet, result)).toBe(
      'error: the base image of the fleet could not be built: `run exit 3` failed with exit code 3\n' +
        '  asked for at testfleet.yaml:4:7\n',
    )
    expect(result.exitCode).toBe(1)
  })

  test("when a user's own Dockerfile fails", wide, async () => {
    const fleet = await makeFleet(['web:', '  build: { dockerfile: Dockerfile }'], {
      Dockerfile: `FROM ${base}\nRUN echo no luck && exit 5\n`,
    })
    const result = await fleet.run(['up'])
    expect(messageAboveBundle(fleet, result)).toBe(
      'error: the image of web could not be built: step 2 of 2 failed, RUN echo no luck && exit 5: exit code 5\n' +
        '  asked for at testfleet.yaml:4:12\n  | no luck\n',
    )
    expect(result.exitCode).toBe(1)
  })

  test('when a Dockerfile has an unknown instruction', wide, async () => {
    const fleet = await makeFleet(['web:', '  build: { dockerfile: Dockerfile }'], {
      Dockerfile: `FROM ${base}\nBOGUS x\n`,
    })
    const result = await fleet.run(['up', '--json'])
    expect(readError(result)).toMatchObject({ code: 'BUILD_FAILED', server: 'web', line: 4, column: 12 })
    expect(readError(result).message).toMatch(/unknown instruction: BOGUS/i)
  })

  test('and leaves a running session as it was', wide, async () => {
    const fleet = await makeFleet([`db: ${sleeper}`, `web: { build: { run: ["true"] }, command: [sleep, "600"] }`])
    expect((await fleet.run(['up'])).exitCode).toBe(0)
    const before = await fleet.run(['ps', '--json'])
    await fleet.rewrite([
      `db: ${server({ command: ['sleep', '601'] })}`,
      `web: { build: { run: ["false"] }, command: [sleep, "600"] }`,
    ])
    expect((await fleet.run(['up'])).exitCode).toBe(1)
    expect(JSON.parse((await fleet.run(['ps', '--json'])).stdout)).toEqual(JSON.parse(before.stdout))
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })
})

describe.concurrent('a server that cannot be started is reported', () => {
  test.each([
    [
      'is not there',
      { command: ['no-such-command', 'x'] },
      'the program "no-such-command" does not exist in the image',
      'command',
      'Write the command as a list: the program, then each of its arguments. The program is looked up on the PATH of the image.',
    ],
    [
      'cannot be run',
      { entrypoint: ['/etc/passwd'] },
      'the program "/etc/passwd" cannot be executed',
      'entrypoint',
      'Make it executable: `mode: "0755"` in `copy`, or `chmod +x` before it is copied or mounted.',
    ],
  ])('when its program %s', wide, async (_, keys, message, key, hint) => {
    const fleet = await makeFleet(['web:', `  ${key}: ${JSON.stringify(Object.values(keys)[0])}`, `  image: ${base}`])
    const result = await fleet.run(['up', '--json'])
    expect(readError(result)).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: `web: ${message}`,
      server: 'web',
      line: 4,
      hint,
    })
    expect(result.exitCode).toBe(1)
  })

  test('when its user is not in the image', wide, async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['sleep', '9'], user: 'nobody2' })}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: web of session failing-\w+: the container could not be started: unable to find user nobody2: .*\n {2}asked for at testfleet.yaml:3:8\n/,
    )
    expect(result.exitCode).toBe(1)
  })

  test('when a secret is not set', async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['sleep', '9'], secrets: { KEY: { env: 'NOT_SET' } } })}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toBe(
      'error: servers.web.secrets.KEY: the variable NOT_SET is not set where testfleet was called\n  asked for at testfleet.yaml:3:88\nhint: Set NOT_SET and call again.\n',
    )
    expect(result.exitCode).toBe(1)
  })
})

describe.concurrent('a server that ends before it is ready is reported', () => {
  /** A readyTimeout that would fail the test, if it were waited for. */
  const patient = { readyTimeout: '10m', ready: [{ log: 'never' }] }

  test('with exit code 1 and its last output', async () => {
    const fleet = await makeFleet([
      `web: ${server({ command: ['sh', '-c', 'echo to stdout; echo to stderr >&2; exit 1'], ...patient })}`,
    ])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: web ended with exit code 1 before it was ready\n(?: {2}\| to std(?:out|err)\n){2}failure bundle, summary\.txt first: \S+\n$/,
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    const json = await fleet.run(['up', '--json'])
    expect(readError(json)).toMatchObject({ code: 'SERVER_DIED', server: 'web' })
    expect(readError(json).output?.toSorted()).toEqual(['to stderr', 'to stdout'])
  })

  test('with exit code 0 and a hint to keep its command in the foreground', wide, async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['echo', 'done already'], ...patient })}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: web ended with exit code 0 before it was ready\n {2}\| done already\nhint: Its command went into the background or had nothing to do: keep it in the foreground, or declare `ready: \[\{ exit: 0 \}\]`\.\n/,
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
  })

  test('with the expected exit code, if it ends with another one', wide, async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['sh', '-c', 'exit 3'], ready: [{ exit: 0 }] })}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: web ended with exit code 3; it had to end with 0\nhint: It logged nothing: /,
    )
    expect(result.exitCode).toBe(1)
  })

  test('with a hint to raise its memory limit, if it used too much', wide, async () => {
    const eater = ['perl', '-e', 'push @all, "x" x 1_000_000 while 1']
    const fleet = await makeFleet([`web: ${server({ command: eater, limits: { memory: '24m' }, ...patient })}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      // A busy engine can miss that memory ran out (20.10): it then knows of a kill alone.
      /^error: web (?:was killed for using more memory than its limit of 24m|ended with exit code 137) before it was ready\nhint: .*[Rr]aise `limits\.memory`\.\n/,
    )
    expect(result.exitCode).toBe(1)
  })
})

describe.concurrent('a server that ends after it was ready, while others are waited for', () => {
  // It ends once a server that depends on it has started, so that it was ready.
  const mounts = [{ volume: 'data', to: '/data', writable: true }]
  const until = 'until [ -e /data/seen ]; do sleep 0.05; done'
  const flaky = server({
    command: ['sh', '-c', `echo up; ${until}; echo last words; exit 3`],
    ...{ mounts, ready: [{ log: 'up' }] },
  })
  const witness = server({ command: ['sh', '-c', 'touch /data/seen; exec sleep 600'], mounts, dependsOn: ['flaky'] })
  const slow = server({ command: ['sleep', '600'], ready: [{ log: 'never' }], readyTimeout: '5m' })
  const app = server({ command: ['sleep', '600'], dependsOn: ['flaky', 'slow'] })

  test('fails the call at once, and no server that depends on it is started', async () => {
    const fleet = await makeFleet([`flaky: ${flaky}`, `witness: ${witness}`, `slow: ${slow}`, `app: ${app}`])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: flaky ended with exit code 3 after it was ready\n {2}\| up\n {2}\| last words\nfailure bundle, /,
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).not.toMatch(/^app: starting/m)
    expect(result.stderr).toMatch(/^app: not started because flaky failed$/m)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('fails `run`, which does not start its command', async () => {
    const fleet = await makeFleet([`flaky: ${flaky}`, `witness: ${witness}`, `slow: ${slow}`])
    const result = await fleet.run(['run', '--json', '--', 'echo', 'run all the same'])
    expect(result.stdout).not.toContain('run all the same')
    expect(readError(result)).toMatchObject({ code: 'SERVER_DIED', server: 'flaky' })
  })

  test('does not fail the call if it has completed its work', async () => {
    const once = server({ command: ['sh', '-c', 'sleep 1; exit 3'], ready: [{ exit: 3 }] })
    const after = server({ command: ['sleep', '600'], dependsOn: ['once'] })
    const fleet = await makeFleet([`once: ${once}`, `after: ${after}`])
    const { servers } = JSON.parse((await fleet.run(['up', '--json'])).stdout)
    expect([servers.once.state, servers.after.state]).toEqual(['completed', 'ready'])
    await fleet.takeDown()
  })
})

describe.concurrent('a server that is never ready', () => {
  test('fails the call after its readyTimeout, with the last answer of every check', async () => {
    const ready = [
      { tcp: 80 },
      { tcp: { port: 81, expect: '+PONG' } },
      { http: { port: 80 } },
      { exec: ['sh', '-c', 'echo not yet; exit 4'] },
      { log: 'ready to serve' },
      { exit: 0 },
    ]
    const fleet = await makeFleet([
      `web: ${server({ command: ['sleep', '600'], ports: [80], readyTimeout: '1500ms', ready })}`,
    ])
    const result = await fleet.run(['up'])
    const message = messageOf(result)
    expect(message).toMatch(
      /^error: web was not ready within 1\.5 s \(.*\)\nhint: Nothing listens in the server yet: .*; raise `readyTimeout` if it only needs longer\.\n/,
    )
    for (const answer of [
      'tcp :80: connection refused',
      'tcp :81: connection refused',
      // On a busy machine, the engine can need longer for its first answer.
      /http :80\/: (?:connection (?:reset|refused)|closes the connection|does not answer)/,
      /exec sh: (?:exits with 4: not yet|no answer yet)/,
      /log "ready to serve": (?:nothing is logged yet|no answer yet)/,
      'exit 0: it still runs',
    ]) {
      expect(message).toMatch(answer)
    }
    expect(result).toMatchObject({ exitCode: 4, stdout: '' })
    expect(result.elapsedMs).toBeGreaterThan(1500)
  })

  test('is reported with its log and its last HTTP answer', wide, async () => {
    const ready = [{ http: { port: 80, status: 404 } }, { http: { port: 80, path: '/b', body: 'bye' } }, { log: 'bye' }]
    const fleet = await makeFleet([`web: ${server({ command: webServer, ports: [80], readyTimeout: 1, ready })}`])
    const result = await fleet.run(['up', '--json'])
    expect(readError(result)).toMatchObject({
      code: 'READY_TIMEOUT',
      message: expect.stringMatching(
        /^web was not ready within 1 s \(http :80\/: answers 200: "hello"; http :80\/b: answers 200 without "bye" in its body; log "bye": not in the 1 lines? so far\)$/,
      ),
      server: 'web',
      output: ['listening'],
      hint: expect.stringMatching(/^It has given the same answer for \d s: check `path` and `status`\.$/),
    })
    expect(result.exitCode).toBe(4)
  })

  test('fails the call at once if its checks can never pass', async () => {
    const fleet = await makeFleet([
      `web: ${server({ command: ['sleep', '600'], readyTimeout: '10m', ready: [{ healthcheck: true }] })}`,
    ])
    const result = await fleet.run(['up'])
    expect(messageOf(result)).toMatch(
      /^error: the image of web has no health check\nhint: Use another kind of `ready` check, or give the image a HEALTHCHECK\.\n/,
    )
    await fleet.rewrite([
      `web: ${server({ command: ['sleep', '600'], readyTimeout: '10m', ready: [{ exec: ['pg_isready'] }] })}`,
    ])
    const missing = await fleet.run(['up', '--json'])
    expect(readError(missing)).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message:
        'the ready check `exec pg_isready` of web cannot pass: the program "pg_isready" does not exist in the image',
      server: 'web',
    })
  })
})

describe.concurrent('a port of this machine that is taken', () => {
  const hint = 'Free the port, or use a free one: leave out `host`, and do not use --bind fixed.'
  const holding = (port: number) => server({ command: webServer, ports: [{ container: 80, host: port }] })

  /** A port that this process holds. */
  async function listen(): Promise<{ port: number } & AsyncDisposable> {
    const listener = createServer()
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('it has no port')
    return {
      port: address.port,
      [Symbol.asyncDispose]: () => new Promise((resolve) => listener.close(() => resolve())),
    }
  }

  test('by a process is reported with that process', async () => {
    await using listener = await listen()
    const fleet = await makeFleet([`db: ${sleeper}`, `web: ${holding(listener.port)}`])
    const result = await fleet.run(['up', '--json'])
    expect(readError(result)).toMatchObject({
      code: 'PORT_TAKEN',
      message: `the port ${listener.port} of this machine is taken by node (process ${process.pid})`,
      server: 'web',
      line: 4,
      hint,
    })
    expect(result.exitCode).toBe(1)
  })

  test('by a server of another session is reported with that server, which stays', wide, async () => {
    const { port } = await listen().then(async (listener) => {
      await listener[Symbol.asyncDispose]()
      return listener
    })
    const first = await makeFleet([`web: ${holding(port)}`])
    const second = await makeFleet([`web: ${holding(port)}`])
    expect((await first.run(['up'])).exitCode).toBe(0)
    const result = await second.run(['up'])
    expect(messageOf(result)).toContain(
      `error: the port ${port} of this machine is taken by web of session ${first.name} (testfleet down --session ${first.name})\n`,
    )
    expect(result.exitCode).toBe(1)
    expect(await countLeftovers(second.name)).toBe(0)
    expect((await first.run(['ps'])).stdout).toContain(`127.0.0.1:${port}→80/tcp`)
    expect((await first.run(['down'])).exitCode).toBe(0)
  })
})

describe.concurrent('an object that testfleet did not create, with a name that a session would use', () => {
  test('is left alone if it is a container, and the session starts', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await withEngine(async (engine) => {
      const id = await engine.createContainer(foreignContainer(`${fleet.name}-web`))
      try {
        expect((await fleet.run(['up'])).exitCode).toBe(0)
        expect((await fleet.run(['down'])).stdout).toBe(`session ${fleet.name}: removed 1 server, 1 network\n`)
        expect((await engine.inspectContainer(id)).state).toBe('created')
      } finally {
        await engine.removeContainer(id)
      }
    })
  })

  test('is left alone if it is a network, and the session starts', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await withEngine(async (engine) => {
      const id = await engine.createNetwork(fleet.name, { 'dev.testfleet.foreign': 'foreign' })
      try {
        expect((await fleet.run(['up'])).exitCode).toBe(0)
        expect((await fleet.run(['down'])).exitCode).toBe(0)
        expect(
          (await engine.listNetworks({ 'dev.testfleet.foreign': 'foreign' })).map((network) => network.id),
        ).toContain(id)
      } finally {
        await engine.removeNetwork(id)
      }
    })
  })
})

describe.concurrent('a server that fails to start, after one of three has started', () => {
  const value = 'pass"word\\with <odd> letters'
  const lines = [
    `first: ${server({ command: webServer, ports: [80] })}`,
    `second: ${server({
      command: ['sh', '-c', 'echo "starting with $KEY"; sleep 0.3; echo failing; exit 9'],
      dependsOn: ['first'],
      ready: [{ log: 'never' }],
      environment: { KEY: { secret: 'KEY' }, MADE: { secret: 'MADE' } },
      secrets: { KEY: { env: 'GIVEN_KEY' }, MADE: { generate: 20 } },
    })}`,
    `third: ${server({ command: ['sleep', '600'], dependsOn: ['second'] })}`,
  ]
  const options = { env: { GIVEN_KEY: value } }

  test('makes up remove the others, and say what failed', async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['up'], options)
    expect(result.stderr).toMatch(
      new RegExp(
        [
          '^first: starting',
          'first: ready in \\d.*',
          'second: starting',
          'third: not started because second failed',
          'removing what was started: first, second',
          'error: second ended with exit code 9 before it was ready',
          '  \\| starting with \\*\\*\\*',
          '  \\| failing',
          `failure bundle, summary\\.txt first: ${fleet.folder}/tmp/testfleet-${fleet.name}-\\w+\n$`,
        ].join('\n'),
      ),
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await countLeftovers(fleet.name)).toBe(0)

    const bundle = result.stderr.trimEnd().split(': ').at(-1) ?? ''
    const logsOf = async (name: string): Promise<string[]> =>
      (await readdir(join(bundle, 'servers', name))).filter((file) => /container|inspect/.test(file)).sort()
    expect(await logsOf('first')).toEqual(['container.log', 'inspect.json'])
    expect(await logsOf('second')).toEqual(['container.log', 'inspect.json'])
    expect(await readdir(join(bundle, 'servers'))).not.toContain('third')
    const read = (path: string): Promise<string> => readFile(join(bundle, 'servers', path), 'utf8')
    expect(await read('first/container.log')).toContain(' listening\n')
    expect(await read('second/container.log')).toContain(' starting with ***\n')
    const inspected = JSON.parse(await read('second/inspect.json'))
    expect(inspected.State.ExitCode).toBe(9)
    expect(inspected.Config.Env).toContain('KEY=***')
    expect(inspected.Config.Env).toContain('MADE=***')
  })

  test('is reported with --json as one document', wide, async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['up', '--json', '--quiet'], options)
    const error = readError(result)
    expect(error).toEqual({
      code: 'SERVER_DIED',
      message: 'second ended with exit code 9 before it was ready',
      server: 'second',
      output: ['starting with ***', 'failing'],
      bundle: expect.stringContaining(`${fleet.folder}/tmp/testfleet-${fleet.name}-`),
    })
    expect(result.exitCode).toBe(1)
  })

  test('leaves the others for inspection with --keep', wide, async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['up', '--keep'], options)
    expect(result.stderr).toContain(
      `session ${fleet.name} is kept; remove it with: testfleet down --session ${fleet.name}\n`,
    )
    expect(result.exitCode).toBe(1)
    const ps = await fleet.run(['ps', '--json'])
    expect(JSON.parse(ps.stdout).servers).toMatchObject({
      first: { state: 'ready' },
      second: { state: 'exited', exitCode: 9 },
    })
    expect((await fleet.run(['logs', 'second'])).stdout).toContain('second | failing\n')
    const exec = await fleet.run(['exec', 'second', '--', 'ls'])
    expect(exec).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: 'error: second does not run: it ended with exit code 9\nhint: Run `testfleet start second`.\n',
    })
    const down = await fleet.run(['down'])
    expect(down).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(`^session ${fleet.name}: removed 2 servers, 1 network`),
    })
  })

  test('removes no server that an earlier call started', wide, async () => {
    const fleet = await makeFleet(lines)
    expect((await fleet.run(['up', 'first'], options)).exitCode).toBe(0)
    const before = JSON.parse((await fleet.run(['ps', '--json'])).stdout)
    const result = await fleet.run(['up'], options)
    expect(result.stderr).toContain('first: ready (unchanged)\n')
    expect(result.stderr).toContain('removing what was started: second\n')
    expect(result.exitCode).toBe(1)
    expect(JSON.parse((await fleet.run(['ps', '--json'])).stdout)).toEqual(before)
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })

  test('makes `run` fail before its command starts', wide, async () => {
    const fleet = await makeFleet(lines)
    const result = await fleet.run(['run', '--', 'echo', 'it ran'], options)
    expect(messageOf(result)).toContain('error: second ended with exit code 9 before it was ready\n')
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

describe.concurrent('a session that does not exist', () => {
  test.each(['ps', 'endpoints', 'endpoints --format env', 'logs', 'logs web', 'exec web -- ls', 'rm web'])(
    'is reported by testfleet %s',
    wide,
    async (words) => {
      const fleet = await makeFleet([`web: ${sleeper}`])
      const message = `there is no session ${fleet.name} on this engine`
      const hint = 'Start one with `testfleet up`, or name another with --session.'
      const result = await fleet.run(words.split(' '))
      expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: `error: ${message}\nhint: ${hint}\n` })
    },
  )

  test('is reported with --json as one document', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const result = await fleet.run(['ps', '--json', '--session', 'no-such-session'])
    expect(JSON.parse(result.stdout)).toEqual({
      error: {
        code: 'NO_SESSION',
        message: 'there is no session no-such-session on this engine',
        hint: 'Start one with `testfleet up`, or name another with --session.',
      },
    })
    expect(result.exitCode).toBe(1)
  })

  test('can be taken down without an error', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    expect(await fleet.run(['down'])).toMatchObject({
      exitCode: 0,
      stdout: `session ${fleet.name}: there was nothing to remove\n`,
      stderr: '',
    })
    const json = await fleet.run(['down', '--json'])
    expect(JSON.parse(json.stdout)).toEqual({ session: fleet.name, servers: [], networks: 0, volumes: 0 })
  })
})

describe.concurrent('a call for a running session', () => {
  test('that names an unknown server is refused, and changes nothing', async () => {
    const fleet = await makeFleet(['web: { build: { run: ["true"] }, command: [sleep, "600"] }'])
    expect((await fleet.run(['up'])).exitCode).toBe(0)

    for (const words of ['logs wbe', 'exec wbe -- ls', 'rm web wbe', 'up wbe']) {
      const result = await fleet.run(words.split(' '))
      expect(result).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: 'error: there is no server `wbe`\nhint: Did you mean `web`? The servers are: web.\n',
      })
    }
    const missing = await fleet.run(['exec', 'web', '--', 'no-such-program'])
    expect(missing).toMatchObject({ exitCode: 1, stdout: '' })
    expect(missing.stderr).toContain('error: the program "no-such-program" does not exist in the image\n')

    const used = await fleet.run(['rmi'])
    expect(used.stderr).toMatch(
      /^error: not everything could be removed: .*testfleet\/failing-\w+-web:.*\nhint: An image goes once no container uses it: call `testfleet down` first\.\n$/,
    )
    expect(used).toMatchObject({ exitCode: 1, stdout: '' })

    expect(JSON.parse((await fleet.run(['ps', '--json'])).stdout).servers).toMatchObject({ web: { state: 'ready' } })
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })
})
