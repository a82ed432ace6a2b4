import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { failureCodes } from '../../src/model/failures.ts'
import { type CommandOptions, type CommandResult, removeFleetFolders, startTestfleet } from '../support/command.ts'
import { isLong } from '../support/fault.ts'
import { leftBehind, removeAllOf } from '../support/left-behind.ts'
import { type OwnEngine, openOwnEngine, whyNoOwnEngine } from '../support/own-engine.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
const reason = whyNoOwnEngine()
if (reason !== undefined) process.stdout.write(`an engine that restarts is not tested: ${reason}\n`)

/** Nothing takes longer: not a call that the engine was taken from, restart and all. */
const DEADLINE_MS = 90_000

let engine: OwnEngine
let fleet: StoryFleet
let options: CommandOptions

describe.skipIf(reason !== undefined)('restarting the engine leaves nothing behind, and every error is clear', () => {
  beforeAll(async () => {
    engine = await openOwnEngine(image)
    // From here on it is the one that the tests use.
    vi.stubEnv('DOCKER_HOST', engine.url)
    // `init` obeys SIGTERM, and the engine waits for its containers when it ends.
    const rest = { image, init: true }
    fleet = await makeFleet({
      db: { ...rest, command: ['sleep', '600'], mounts: [{ volume: 'data', to: '/data', writable: true }] },
      web: {
        ...rest,
        command: httpServer(8080),
        ports: [8080],
        dependsOn: ['db'],
        ready: [{ http: { port: 8080 } }, { exec: ['sleep', '0.5'] }],
      },
    })
    options = { prefix: engine.prefix, timeoutMs: DEADLINE_MS }
  })

  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]()
    await removeFleetFolders()
  })

  test.each(momentsOf(/web: waiting for exec/, /web: starting/, /db: starting/, /web: waiting for http/))(
    'when `up` has printed %s',
    async (moment) => {
      const result = await restartDuring(['up', '--json', '--verbose'], moment)
      if (result.exitCode === 0) expect((await fleet.call(['down'], options)).exitCode).toBe(0)
      else expectClear(result)
      await expectNothingLeft()
    },
  )

  test.each(momentsOf(/begun/, /db: starting/, /web: waiting for exec/))(
    'when `run` has printed %s',
    async (moment) => {
      const result = await restartDuring(['run', '--verbose', '--', 'sh', '-c', 'echo begun; sleep 2'], moment)
      // What its servers are in the meantime is the command's to notice.
      if (result.exitCode !== 0) expect(result.stderr).toMatch(/^error: /m)
      await expectNothingLeft()
    },
  )

  test('while `down` removes servers', async () => {
    await fleet.done(['up', '--quiet'], options)
    const result = await restartDuring(['down', '--json', '--verbose'], /removing/)
    if (result.exitCode === 0) expect(await leftBehind(fleet.name, 0)).toBe(0)
    else {
      expectClear(result)
      expect((await fleet.call(['down'], options)).exitCode).toBe(0)
    }
    await expectNothingLeft()
  })
})

/** All of them, or the first. */
function momentsOf(...moments: RegExp[]): RegExp[] {
  return isLong ? moments : moments.slice(0, 1)
}

async function restartDuring(words: readonly string[], moment: RegExp): Promise<CommandResult> {
  const command = startTestfleet(words, { ...options, cwd: fleet.folder })
  await command.waitForOutput(moment)
  const [result] = await Promise.all([command.result, engine.restart()])
  process.stdout.write(`testfleet ${words[0]}, restarted at ${moment}: ${result.exitCode} ${codeOf(result)}\n`)
  return result
}

function codeOf({ stdout }: CommandResult): string {
  return /"code": "(\w+)"/.exec(stdout)?.[1] ?? ''
}

/** One of ours, with its exit code. */
function expectClear(result: CommandResult): void {
  const codes: Readonly<Record<string, number>> = failureCodes
  expect(codes[codeOf(result)], result.stdout + result.stderr).toBe(result.exitCode)
}

/** After one more command, where the client could not clean up: an engine that ends may bring back what it said was gone. */
async function expectNothingLeft(): Promise<void> {
  if ((await leftBehind(fleet.name)) === 0) return
  await fleet.call(['prune', '--all'], options)
  const left = await leftBehind(fleet.name, 0)
  // What is left must not be the next test's.
  await removeAllOf(fleet.name)
  expect(left).toBe(0)
}
