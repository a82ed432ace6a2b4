import { randomBytes } from 'node:crypto'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import {
  type CommandResult,
  countLeftovers,
  mainFile,
  type RunningCommand,
  SOON_MS,
  waitForNothing,
} from '../support/command.ts'
import { endFleets, makeFleet, server, sleeper, webServer } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

// Not after each: many are at work side by side.
afterAll(endFleets)

/** What runs on this machine, in the engine's containers too where the engine is on it. */
async function listPrograms(): Promise<string[]> {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  return Promise.all(processes.map((process) => readFile(`/proc/${process}/cmdline`, 'utf8').catch(() => '')))
}

/** Sends it, and takes the time from then on. */
async function end(
  command: RunningCommand,
  signal: NodeJS.Signals,
): Promise<CommandResult & { readonly afterMs: number }> {
  const sentAt = performance.now()
  command.kill(signal)
  const result = await command.result
  return { ...result, afterMs: performance.now() - sentAt }
}

describe.concurrent('`run` fails before its command starts', () => {
  test('with a script whose interpreter is missing', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`], { script: '#!/no/such/interpreter\n' })
    await chmod(join(fleet.folder, 'script'), 0o755)
    const result = await fleet.run(['run', '--', './script'])
    expect(result.stderr).toContain(
      `error: ${fleet.folder}/script cannot be run: the interpreter in its first line does not exist\n`,
    )
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

describe.concurrent.each([
  ['SIGINT', 130, {}],
  ['SIGTERM', 143, wide],
] as const)('%s', (signal, exitCode, tier) => {
  test('during a build also ends the build', tier, async () => {
    // Two builds of the same steps would be one.
    const script = `sleep 600 # ${randomBytes(8).toString('hex')}`
    const fleet = await makeFleet([`web: { build: { run: ["${script}"] } }`])
    const command = fleet.start(['up', '--json'])
    await command.waitForOutput(/step 2\/2/)
    const result = await end(command, signal)
    expect(result.exitCode).toBe(exitCode)
    expect(result.afterMs).toBeLessThan(SOON_MS)
    expect(JSON.parse(result.stdout)).toEqual({ error: { code: 'CANCELLED', message: `ended by ${signal}` } })
    expect(result.stderr).toMatch(
      new RegExp(`^cancelled: ending what was begun, and removing it\nended by ${signal}$`, 'm'),
    )
    expect(result.stderr).not.toContain('failed')
    expect(await fleet.listImages()).toEqual([])
    await vi.waitUntil(async () => !(await listPrograms()).some((words) => words.includes(script)), {
      timeout: SOON_MS,
    })
  })

  for (const [words, itsTier] of [
    [signal === 'SIGINT' ? 'up' : 'up --keep', tier],
    ['run -- true', wide],
  ] as const)
    test(`during the ready wait of ${words} removes what was started`, itsTier, async () => {
      const waiting = server({ command: webServer, ports: [80], ready: [{ log: 'never' }], dependsOn: ['db'] })
      const fleet = await makeFleet([`db: ${sleeper}`, `web: ${waiting}`])
      const command = fleet.start([...words.split(' ').toSpliced(1, 0, '--verbose')])
      await command.waitForOutput(/web: waiting for log "never": not in/)
      const result = await end(command, signal)
      expect(result).toMatchObject({ exitCode, stdout: '' })
      expect(result.afterMs).toBeLessThan(SOON_MS)
      expect(result.stderr).toMatch(new RegExp(`^removing what was started: db, web\nended by ${signal}\n$`, 'm'))
      expect(await countLeftovers(fleet.name)).toBe(0)
    })

  test('during the command of `run` reaches the command, whose exit code counts', tier, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const script = `trap 'echo heard; exit 7' ${signal.slice(3)}; echo begun; while :; do sleep 0.1; done`
    const command = fleet.start(['run', '--', 'sh', '-c', script])
    await command.waitForOutput(/begun/)
    const result = await end(command, signal)
    expect(result).toMatchObject({ exitCode: 7, stdout: 'begun\nheard\n' })
    expect(result.afterMs).toBeLessThan(SOON_MS)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('ends a command of `run` that does not handle it', tier, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const command = fleet.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600'])
    await command.waitForOutput(/begun/)
    const result = await end(command, signal)
    expect(result).toMatchObject({ exitCode, stdout: 'begun\n' })
    expect(result.afterMs).toBeLessThan(SOON_MS)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

describe.concurrent('a second signal', () => {
  test('ends the call at once, and leaves the cleanup to the keeper', async () => {
    // It ends when the test says so: a call that took it down itself would wait for that.
    const stubborn = server({
      command: ['sh', '-c', 'trap "" TERM; until [ -e /gate/open ]; do sleep 0.1; done'],
      ...{ stopSignal: 'SIGTERM', stopGracePeriod: '10m', mounts: [{ from: 'gate', to: '/gate', writable: true }] },
    })
    const fleet = await makeFleet([`web: ${stubborn}`], { 'gate/shut': '' })
    const obstinate = 'trap "echo heard" INT; echo begun; while :; do sleep 0.1; done # 601.5'
    const command = fleet.start(['run', '--', 'sh', '-c', obstinate])
    await command.waitForOutput(/begun/)
    command.kill('SIGINT')
    await command.waitForOutput(/heard/)
    expect((await end(command, 'SIGINT')).exitCode).toBe(130)
    expect(await countLeftovers(fleet.name)).toBeGreaterThan(0)
    await writeFile(join(fleet.folder, 'gate/open'), '')
    await waitForNothing(fleet.name)
    expect((await listPrograms()).filter((words) => words.includes('601.5'))).toEqual([])
  })

  test('to the whole group, followed by a third, has the same effect', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const command = fleet.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600'])
    await command.waitForOutput(/begun/)
    for (let times = 0; times < 3; times++) {
      command.killGroup('SIGINT')
      await sleep(30)
    }
    expect((await command.result).exitCode).toBe(130)
    await waitForNothing(fleet.name)
  })
})

describe.concurrent('closing the terminal', () => {
  // `script` runs a command on a terminal of its own; when it is killed, that terminal is gone.
  const onTerminal = (words: string) => ({
    prefix: ['script', '--quiet', '--return', '--flush', '--command', words, '/dev/null'],
    isBare: true,
  })
  const call = (words: string): string => `"${process.execPath}" "${mainFile}" ${words}`

  test.each([
    ['during `up`', 'up', /web: .*waiting|waiting for log/],
    ['during the command of `run`', 'run -- sh -c "echo begun; exec sleep 600"', /begun/],
  ])('%s leaves nothing behind', async (_, words, moment) => {
    const waiting = server({ command: ['sleep', '600'], ready: words === 'up' ? [{ log: 'never' }] : [] })
    const fleet = await makeFleet([`web: ${waiting}`])
    const terminal = fleet.start([], { ...onTerminal(call(words)), env: { TERM: 'xterm' }, input: '' })
    await terminal.waitForOutput(moment)
    expect(await countLeftovers(fleet.name)).toBeGreaterThan(0)
    terminal.kill('SIGKILL')
    await terminal.result
    await waitForNothing(fleet.name)
    await vi.waitUntil(async () => !(await listPrograms()).some((text) => text.includes(fleet.folder)), SOON_MS)
  })
})

test.concurrent('SIGINT ends `logs -f`, and leaves the session alone', async () => {
  const fleet = await makeFleet([`web: ${server({ command: webServer, ports: [80] })}`])
  expect((await fleet.run(['up'])).exitCode).toBe(0)
  const command = fleet.start(['logs', '-f'])
  await command.waitForOutput(/web \| listening/)
  const result = await end(command, 'SIGINT')
  expect(result).toMatchObject({ exitCode: 130, stdout: 'web | listening\n' })
  expect((await fleet.run(['down'])).stdout).toContain('removed 1 server, 1 network')
})

test.concurrent('a signal at any moment leaves nothing behind', wide, async () => {
  const lines = ['a', 'b', 'c'].map((name) => `${name}: ${server({ command: webServer, ports: [80] })}`)
  const fleet = await makeFleet(lines)
  for (const delayMs of [20, 60, 100, 140, 180, 220, 260, 300, 400, 500, 600, 700]) {
    const command = fleet.start(['up'])
    await sleep(delayMs)
    const result = await end(command, 'SIGTERM')
    // It may have been faster.
    if (result.exitCode === 0) await fleet.run(['down'])
    else expect(result.exitCode).toBe(143)
    expect(await countLeftovers(fleet.name), `left ${delayMs} ms after the start`).toBe(0)
  }
})

describe.concurrent('a reader that closes the output early causes no error', () => {
  const talker = server({ command: ['sh', '-c', 'while :; do echo again; sleep 0.1; done'] })
  const intoHead = { prefix: ['sh', '-c', '"$@" | head -n 1', 'sh'] }

  for (const [words, stdout, tier] of [
    ['logs -f', 'web | again\n', {}],
    ['exec web -- yes', 'y\n', wide],
    ['schema', '{\n', {}],
    ['help', 'testfleet: fleets of real test servers, in containers\n', wide],
  ] as const)
    test(`from testfleet ${words}`, tier, async () => {
      const fleet = await makeFleet([`web: ${talker}`])
      const needsSession = !['schema', 'help'].includes(words)
      if (needsSession) expect((await fleet.run(['up'])).exitCode).toBe(0)
      const result = await fleet.run(words.split(' '), intoHead)
      expect(result).toMatchObject({ exitCode: 0, stdout, stderr: '' })
      if (needsSession) expect((await fleet.run(['down'])).exitCode).toBe(0)
    })

  test('from the progress of `up`, which continues', async () => {
    const fleet = await makeFleet([`db: ${sleeper}`, `web: ${talker}`])
    const result = await fleet.run(['up'], { prefix: ['sh', '-c', '"$@" 2>&1 | head -n 1', 'sh'] })
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    const { servers } = JSON.parse((await fleet.run(['ps', '--json'])).stdout)
    expect(servers).toMatchObject({ db: { state: 'ready' }, web: { state: 'ready' } })
    expect((await fleet.run(['down'])).exitCode).toBe(0)
  })
})
