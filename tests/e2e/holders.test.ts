import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, SOON_MS, waitForNothing } from '../support/command.ts'
import { expectPutBack, findKeeper, isAlive, startReplacement, startRun, tellOf, waitForEnd } from '../support/holds.ts'
import { libraryFile } from '../support/library.ts'
import { endFleets, makeFleet, messageOf, readError, server, sleeper, webServer } from '../support/test-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

// Not after each: many are at work side by side.
afterAll(endFleets)

describe.concurrent('a session of `run`', () => {
  test('is removed when `run` is killed, and its keeper ends', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`, `db: ${sleeper}`])
    const { command, keeper } = await startRun(fleet)
    expect(isAlive(keeper.pid)).toBe(true)
    command.killGroup('SIGKILL')
    await waitForNothing(fleet.name)
    await waitForEnd(keeper.pid)
  })

  test(
    'is removed although its terminal was closed and its whole process group killed: the keeper survives both',
    wide,
    async () => {
      const fleet = await makeFleet([`web: ${sleeper}`])
      const { command, keeper } = await startRun(fleet)
      process.kill(keeper.pid, 'SIGHUP')
      process.kill(keeper.pid, 'SIGINT')
      command.killGroup('SIGKILL')
      await waitForNothing(fleet.name)
      await waitForEnd(keeper.pid)
    },
  )

  test('is removed when its command ends, although the keeper was killed', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, keeper } = await startRun(fleet)
    process.kill(keeper.pid, 'SIGKILL')
    await waitForEnd(keeper.pid)
    command.kill('SIGTERM')
    expect((await command.result).exitCode).toBe(143)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('cannot be changed by other calls', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session } = await startRun(fleet)
    await fleet.rewrite([`web: ${server({ command: ['sleep', '601'] })}`])
    const result = await fleet.run(['up', '--session', session, '--json'])
    expect(result.exitCode).toBe(1)
    expect(readError(result)).toMatchObject({
      code: 'SESSION_BUSY',
      message: expect.stringMatching(/^the session \S+ is held by process \d+ \(testfleet run --quiet -- /),
    })
    command.kill('SIGTERM')
    await command.result
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

describe.concurrent('a session that others have joined', () => {
  test('stays for the command of `join` when `run` is killed, and is removed after that', async () => {
    const fleet = await makeFleet([`web: ${server({ command: webServer, ports: [80] })}`])
    const { command, session, keeper } = await startRun(fleet)
    const joined = fleet.start(['join', '--session', session, '--', 'sh', '-c', 'env; exec sleep 600'])
    await joined.waitForOutput(/^TESTFLEET_WEB_PORT_80=\d+$/m)
    command.killGroup('SIGKILL')
    await command.result
    // Twice what the keeper takes to be sure that nothing is left.
    await sleep(3000)
    expect((await fleet.run(['ps', '--session', session])).stdout).toMatch(/web +ready/)
    joined.kill('SIGTERM')
    expect((await joined.result).exitCode).toBe(143)
    expect(await countLeftovers(fleet.name)).toBe(0)
    await waitForEnd(keeper.pid)
  })

  test('stays for the other holders when one leaves after the keeper was killed, and is removed with the last', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session, keeper } = await startRun(fleet)
    const before = await tellOf(fleet, session)
    const join = async () => {
      const joined = fleet.start(['join', '--session', session, '--', 'sh', '-c', 'echo joined; exec sleep 600'])
      await joined.waitForOutput(/joined/)
      return joined
    }
    const [first, second] = [await join(), await join()]
    process.kill(keeper.pid, 'SIGKILL')
    await waitForEnd(keeper.pid)
    for (const [leaver, stays] of [
      [first, /stays: process \d+ \(.*\) and 2 others hold it$/m],
      // One that joined without a keeper.
      [await join(), /stays: process \d+ \(.*\) and 1 other hold it$/m],
      [command, /stays: process \d+ \(.*\) holds it$/m],
    ] as const) {
      leaver.kill('SIGTERM')
      const { exitCode, stderr } = await leaver.result
      expect(exitCode).toBe(143)
      if (leaver !== command) expect(stderr).toMatch(stays)
      expect(await tellOf(fleet, session)).toEqual(before)
    }
    second.kill('SIGTERM')
    expect((await second.result).exitCode).toBe(143)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('stays when `run` ends normally', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session } = await startRun(fleet)
    const joined = fleet.start(['join', '--session', session, '--', 'sh', '-c', 'echo joined; exec sleep 600'])
    await joined.waitForOutput(/joined/)
    command.kill('SIGTERM')
    expect((await command.result).exitCode).toBe(143)
    expect((await fleet.run(['ps', '--session', session])).stdout).toMatch(/web +ready/)
    joined.killGroup('SIGKILL')
    await waitForNothing(fleet.name)
  })

  test('is held by `join` without a command until the calling process ends', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session } = await startRun(fleet)
    // A program in another language that only calls the command.
    const script = 'testfleet="$1 $2"; $testfleet join --session "$3" && echo held && exec sleep 600'
    const { mainFile } = await import('../support/command.ts')
    const shell = fleet.start([], {
      prefix: ['sh', '-c', script, 'sh', process.execPath, mainFile, session],
      isBare: true,
    })
    await shell.waitForOutput(/^held$/m)
    command.killGroup('SIGKILL')
    await command.result
    await sleep(3000)
    expect(await countLeftovers(fleet.name)).toBe(3)
    shell.killGroup('SIGKILL')
    await waitForNothing(fleet.name)
  })

  test('is released by `release` before that process ends', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session } = await startRun(fleet)
    const pid = ['--session', session, '--pid', String(process.pid)]
    expect((await fleet.run(['join', ...pid])).stdout).toContain(`held for process ${process.pid} until`)
    command.killGroup('SIGKILL')
    await command.result
    const released = await fleet.run(['release', ...pid])
    expect(released.stdout).toBe(`session ${session}: nobody holds it any more; it goes\n`)
    await waitForNothing(fleet.name)
  })

  test('is held by any program that opens the socket, reads a line of JSON and keeps the connection open', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session, keeper } = await startRun(fleet)
    const connection = connect(keeper.socket)
    const lines = createInterface({ input: connection })[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await lines.next()).value ?? '""')
    expect(await next()).toEqual({ session, held: 1 })
    connection.write('nonsense\n')
    expect(await next()).toEqual({ session, held: 1, error: 'unknown request' })
    command.killGroup('SIGKILL')
    await command.result
    // The keeper hears of the end in its own time.
    const ask = async () => {
      connection.write('{"do":"hold","pid":1000000000}\n')
      return next()
    }
    const answer = { session, held: 0, error: 'there is no process 1000000000' }
    // Not by `expect.poll`, which knows no test where many run side by side.
    await vi.waitFor(async () => expect(await ask()).toEqual(answer), SOON_MS)
    await sleep(3000)
    expect(await countLeftovers(fleet.name)).toBe(3)
    connection.destroy()
    await waitForNothing(fleet.name)
  })

  test(
    'is held by a program that joins through the library, which finds the session by the environment',
    wide,
    async () => {
      const fleet = await makeFleet([`web: ${sleeper}`], {
        'joins.mjs': `import { joinFleet } from ${JSON.stringify(libraryFile)}
        const fleet = await joinFleet()
        console.log(fleet.session === process.env.TESTFLEET_SESSION, fleet.server('web').state, fleet.environment.TESTFLEET_WEB_HOSTNAME)
        await fleet.down()`,
      })
      const result = await fleet.run(['run', '--', process.execPath, join(fleet.folder, 'joins.mjs')])
      expect(result).toMatchObject({ exitCode: 0, stdout: `true ready web.${fleet.name}.test\n` })
      expect(await countLeftovers(fleet.name)).toBe(0)
    },
  )

  test('of `up` is not taken down while others hold it, except with --force', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const script = 'echo joined; until [ -e end ]; do sleep 0.1; done; exit 3'
    const start = async () => {
      const joined = fleet.start(['join', '--', 'sh', '-c', script])
      await joined.waitForOutput(/joined/)
      return joined
    }
    const [first] = await Promise.all([start(), start()])
    for (const words of [['down'], ['rm', 'web']]) {
      const refused = await fleet.run([...words, '--json'])
      expect(readError(refused)).toMatchObject({
        code: 'SESSION_BUSY',
        message: expect.stringMatching(/held by process \d+ \(testfleet join -- sh -c .*\) and 1 more$/),
        hint: expect.stringContaining('--force'),
      })
      expect(refused.exitCode).toBe(1)
    }
    expect((await fleet.run(['prune', '--all', '--dry-run'])).stdout).toMatch(
      new RegExp(`^kept session ${fleet.name} .*: somebody holds it$`, 'm'),
    )
    expect((await fleet.run(['ps'])).stdout).toMatch(/web +ready/)
    const down = fleet.start(['down', '--force'])
    expect((await down.result).exitCode).toBe(0)
    await writeFile(join(fleet.folder, 'end'), '')
    expect(await first.result).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(
        new RegExp(
          `^warning: session ${fleet.name} was taken down at [0-9:]{8} by process ${down.pid}, while sh ran$`,
          'm',
        ),
      ),
    })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('of `up` stays when its last holder leaves or is killed', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const pid = String(process.pid)
    const words = `session ${fleet.name}: held for process ${pid} until that ends, or \`testfleet release\`; it stays after that, until it is taken down\n`
    expect(await fleet.run(['join', '--pid', pid])).toMatchObject({ exitCode: 0, stdout: words })
    expect(await fleet.run(['join', '--', 'echo', 'here'])).toMatchObject({ exitCode: 0, stdout: 'here\n' })
    expect((await fleet.run(['release', '--pid', pid])).stdout).toContain('nobody holds it any more; it stays')
    const killed = fleet.start(['join', '--', 'sh', '-c', 'echo joined; exec sleep 600'])
    await killed.waitForOutput(/joined/)
    killed.killGroup('SIGKILL')
    await killed.result
    expect((await fleet.run(['ps'])).stdout).toMatch(/web +ready/)
    expect(await fleet.run(['down'])).toMatchObject({ exitCode: 0 })
    expect(readError(await fleet.run(['join', '--json']))).toMatchObject({ code: 'NO_SESSION' })
  })
})

test(
  'a session of the library is removed when its program ends without `down`, throws, or is killed',
  wide,
  async () => {
    const script = (end: string): string => `import { startFleet } from ${JSON.stringify(libraryFile)}
    const fleet = await startFleet()
    console.log('up')
    ${end}`
    const fleet = await makeFleet([`web: ${sleeper}`], {
      'ends.mjs': script(''),
      'throws.mjs': script('throw new Error("a test that fails")'),
      'stays.mjs': script('setInterval(() => {}, 1000)'),
    })
    const start = (name: string) =>
      fleet.start([], { prefix: [process.execPath, join(fleet.folder, name)], isBare: true })
    for (const [name, exitCode] of [
      ['ends.mjs', 0],
      ['throws.mjs', 1],
    ] as const) {
      expect(await start(name).result).toMatchObject({ exitCode, stdout: 'up\n' })
      await waitForNothing(fleet.name)
    }
    const program = start('stays.mjs')
    await program.waitForOutput(/up/)
    program.kill('SIGKILL')
    await waitForNothing(fleet.name)
  },
)

describe.concurrent('`up` that is killed', () => {
  test('leaves nothing that it created', wide, async () => {
    const fleet = await makeFleet([
      `db: ${sleeper}`,
      `web: ${server({ command: ['sleep', '600'], ready: [{ log: 'never' }] })}`,
    ])
    const command = fleet.start(['up', '--verbose'])
    await command.waitForOutput(/web: waiting for log "never": nothing/)
    command.killGroup('SIGKILL')
    await waitForNothing(fleet.name)
  })

  test('leaves its keeper to put back the servers that it was replacing', wide, async () => {
    const { fleet, before, command } = await startReplacement()
    const keeper = await findKeeper(fleet)
    command.killGroup('SIGKILL')
    await command.result
    await waitForEnd(keeper.pid)
    await expectPutBack(fleet, before)
    await fleet.takeDown()
  })
})

describe.concurrent('`up` that fails', () => {
  test('puts back the servers that it replaced and the ones that it removed', async () => {
    const depends = server({ command: ['sleep', '600'], dependsOn: ['db'] })
    const fleet = await makeFleet([`db: ${sleeper}`, `web: ${depends}`, `old: ${sleeper}`])
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    await fleet.rewrite([
      `db: ${server({ command: ['sleep', '601'] })}`,
      `web: ${server({ command: ['sh', '-c', 'exit 3'], dependsOn: ['db'], ready: [{ log: 'x' }] })}`,
      `new: ${sleeper}`,
    ])
    const result = await fleet.run(['up', '--json'])
    expect(result.exitCode).toBe(1)
    expect(readError(result)).toMatchObject({ code: 'SERVER_DIED', server: 'web' })
    expect(readError(result)).not.toHaveProperty('leftovers')
    await expectPutBack(fleet, before)
    await fleet.takeDown()
  })

  test('reports a server that it cannot put back', wide, async () => {
    // It starts once, and no second time.
    const once = ['sh', '-c', 'test ! -e /begun || exit 9; touch /begun; exec sleep 600']
    const fleet = await makeFleet([`web: ${server({ command: once, ready: [{ exec: ['test', '-e', '/begun'] }] })}`])
    await fleet.run(['up'])
    await fleet.rewrite([`web: ${server({ command: ['no-such-program'] })}`])
    const { stderr, exitCode } = await fleet.run(['up'])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^left behind: .*web, which was replaced, could not be put back: web ended with exit code 9 before/m,
    )
    expect((await fleet.run(['ps'])).stdout).toMatch(/web +exited \(9\)/)
    await fleet.takeDown()
  })
})

describe.concurrent('two calls of `up` for one session', () => {
  test('run one after the other, with the same result', async () => {
    const slow = server({
      command: ['sh', '-c', 'until [ -e /gate/open ]; do sleep 0.1; done; echo ready; exec sleep 600'],
      ...{ mounts: [{ from: 'gate', to: '/gate', writable: true }], ready: [{ log: 'ready' }] },
    })
    const fleet = await makeFleet([`web: ${slow}`, `db: ${sleeper}`], { 'gate/shut': '' })
    const calls = [1, 2, 3].map(() => fleet.start(['up', '--json']))
    const saidToWait = calls.map((call) =>
      call.waitForOutput(/waiting until process \d+ \(.* up --json\) has finished its change$/m),
    )
    // Two of them; the third makes the change, unless each has seen another.
    const [first, second, third] = saidToWait as [Promise<void>, Promise<void>, Promise<void>]
    const pairs = [
      [first, second],
      [first, third],
      [second, third],
    ].map((pair) => Promise.all(pair))
    await Promise.any(pairs)
    await writeFile(join(fleet.folder, 'gate/open'), '')
    for (const said of [...saidToWait, ...pairs]) said.catch(() => {})
    const results = await Promise.all(calls.map(({ result }) => result))
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    for (const { stdout } of results) expect(stdout).toBe(results[0]?.stdout)
    const waits = results.filter(({ stderr }) =>
      /waiting until process \d+ \(.* up --json\) has finished its change$/m.test(stderr),
    )
    // All three wait where each has seen another.
    expect(waits.length).toBeGreaterThanOrEqual(2)
    await fleet.takeDown()
  })

  test('can be ended while they wait for each other', wide, async () => {
    const fleet = await makeFleet([`web: ${server({ command: ['sleep', '600'], ready: [{ log: 'never' }] })}`])
    const first = fleet.start(['up', '--verbose'])
    await first.waitForOutput(/web: waiting for log/)
    const second = fleet.start(['up'])
    await second.waitForOutput(/waiting until process/)
    second.kill('SIGINT')
    expect((await second.result).exitCode).toBe(130)
    first.kill('SIGINT')
    expect((await first.result).exitCode).toBe(130)
    await waitForNothing(fleet.name)
  })
})

describe.concurrent('a session with --ttl', () => {
  test('is removed when its time is over, without another call', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    expect((await fleet.run(['up', '--ttl', '1h'])).exitCode).toBe(0)
    expect((await fleet.run(['ps'])).stdout).toMatch(/web +ready/)
    const { pid } = await findKeeper(fleet)
    // On a busy machine the time may be over before this call is.
    await fleet.run(['up', '--ttl', '1s'])
    await waitForNothing(fleet.name)
    await waitForEnd(pid)
  })

  test('lives as long as the latest --ttl says, and its keeper ends with `down`', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up', '--ttl', '1h'])
    const first = await findKeeper(fleet)
    await fleet.run(['up', '--ttl', '2h'])
    await waitForEnd(first.pid)
    const second = await findKeeper(fleet)
    expect(isAlive(second.pid)).toBe(true)
    expect(await countLeftovers(fleet.name)).toBe(3)
    await fleet.takeDown()
    await waitForEnd(second.pid)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  for (const ttl of ['0s', '337h', 'soon'])
    test(`is refused when the time is invalid: ${ttl}`, wideIf(ttl === 'soon'), async () => {
      const fleet = await makeFleet([`web: ${sleeper}`])
      expect(await fleet.run(['up', '--ttl', ttl])).toMatchObject({ exitCode: 2, stdout: '' })
    })
})

test('a missing secret is reported, and nothing is started', async () => {
  const fleet = await makeFleet([
    `web: ${server({ command: ['sleep', '600'], secrets: { A: { env: 'NOT_SET_AT_ALL' } } })}`,
  ])
  expect(messageOf(await fleet.run(['up']))).toContain('NOT_SET_AT_ALL')
  await waitForNothing(fleet.name)
})
