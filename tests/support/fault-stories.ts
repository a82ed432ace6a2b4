import { type FailureCode, failureCodes } from '../../src/model/failures.ts'
import { type CommandResult, runTestfleet } from './command.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { readTexts, startFleet, TestfleetError } from './library.ts'
import { httpServer } from './perl-servers.ts'
import { makeFleet, type SessionReport, type StoryFleet } from './story-fleet.ts'

const image = 'debian:bookworm-slim'

/** A story's end: done as it should be, or a clear error. Anything else is a problem, in words. */
export type Ending = { readonly kind: 'well' } | { readonly kind: 'error'; readonly code: FailureCode }

class Problem extends Error {}

/** What is done while the engine misbehaves; `lift` ends the misbehaviour, for looking at what came of it. */
export interface Story {
  readonly name: string
  /** With an engine that behaves. */
  prepare?(fleet: StoryFleet): Promise<void>
  tell(fleet: StoryFleet, proxy: FaultProxy, lift: () => void, patience?: Patience): Promise<Ending>
}

/** How long a hanging engine is waited for, and how long a bring-up. */
export interface Patience {
  readonly engineTimeout: string
  readonly bringUpMs: number
}

/** For an engine that misbehaves. */
export const impatient: Patience = { engineTimeout: '3s', bringUpMs: 15_000 }
/** For one that does not, on a busy machine too. */
export const patient: Patience = { engineTimeout: '60s', bringUpMs: 120_000 }
/** For the calls before and after a story. */
export const unhurried = { env: { TESTFLEET_ENGINE_TIMEOUT: patient.engineTimeout }, timeoutMs: patient.bringUpMs }

/** A call as a whole must end within what a bring-up may take, and this. */
const DEADLINE_MS = 45_000

/**
 * Of every kind of server: built and named, with volume and secret, one that ends, checks from in and outside. A small
 * one lacks the server that ends, and leads to the same kinds of calls.
 */
export function makeStoryFleet({ isSmall = false } = {}): Promise<StoryFleet> {
  const seed = { image, command: ['true'], dependsOn: ['db'], ready: [{ exit: 0 }] }
  return makeFleet({
    db: {
      image,
      command: ['sh', '-c', 'echo listening; exec sleep 600'],
      mounts: [{ volume: 'data', to: '/data', writable: true }],
      secrets: { KEY: { generate: 16 } },
      // Long after the watch for its end has begun.
      ready: [{ log: 'listening' }, { exec: ['sleep', '0.3'] }],
    },
    ...(isSmall ? {} : { seed }),
    web: {
      build: { copy: [{ content: 'hello', to: '/hello' }] },
      command: httpServer(8080),
      ports: [8080],
      dependsOn: [isSmall ? 'db' : 'seed'],
      ready: [{ http: { port: 8080 } }],
    },
  })
}

const upWords = ({ bringUpMs }: Patience) => ['--quiet', '--json', '--timeout', `${bringUpMs / 1000}s`]

export const stories: readonly Story[] = [
  {
    name: 'up',
    async tell(fleet, proxy, lift, patience = impatient) {
      const result = await call(['up', ...upWords(patience)], fleet, proxy, patience)
      lift()
      const ending = readEnding(result)
      if (ending.kind === 'well') {
        await expectReady(JSON.parse(result.stdout))
        const { exitCode, stderr } = await fleet.call(['down'], unhurried)
        if (exitCode !== 0) throw new Problem(`down ended with ${exitCode}: ${stderr}`)
      }
      return ending
    },
  },
  {
    name: 'run',
    async tell(fleet, proxy, lift, patience = impatient) {
      const command = [process.execPath, '-e', `fetch('http://'+process.env.TESTFLEET_WEB_HOST+':'+${port})${print}`]
      const result = await call(['run', ...upWords(patience), '--', ...command], fleet, proxy, patience)
      lift()
      if (result.exitCode !== 0) return readEnding({ ...result, stdout: result.stdout.replace(/^hello/, '') })
      if (result.stdout !== 'hello') throw new Problem(`run ended with 0, and its command said ${result.stdout}`)
      return { kind: 'well' }
    },
  },
  {
    name: 'down',
    async prepare(fleet) {
      await fleet.done(['up', '--quiet'], unhurried)
    },
    async tell(fleet, proxy, lift, patience = impatient) {
      const result = await call(['down', '--quiet', '--json'], fleet, proxy, patience)
      lift()
      const ending = readEnding(result)
      if (ending.kind === 'error') await fleet.done(['down'], unhurried)
      return ending
    },
  },
  { name: 'library', tell: tellLibrary },
]

const port = 'process.env.TESTFLEET_WEB_PORT'
const print = '.then((r)=>r.text()).then((text)=>process.stdout.write(text))'

/** Its caller sets TESTFLEET_ENGINE_TIMEOUT. */
async function tellLibrary(
  fleet: StoryFleet,
  proxy: FaultProxy,
  lift: () => void,
  { bringUpMs } = impatient,
): Promise<Ending> {
  let running: Awaited<ReturnType<typeof startFleet>> | undefined
  try {
    const options = { engine: proxy.url, timeoutMs: bringUpMs }
    running = await startFleet(`${fleet.folder}/testfleet.json`, options)
    const said = await running.server('db').exec(['sh', '-c', 'echo one; sleep 0.2; echo two'])
    const read = await running.server('db').exec(['cat'], { input: 'three' })
    const logged = await readTexts(running.server('db').logs())
    await running.down()
    const all = [said.exitCode, said.stdout, read.stdout, logged.join()]
    if (all.join('|') !== '0|one\ntwo\n|three|listening') throw new Problem(`a shortened success: ${all.join('|')}`)
    return { kind: 'well' }
  } catch (error) {
    if (!(error instanceof TestfleetError)) throw error
    return { kind: 'error', code: error.code }
  } finally {
    lift()
    // A caller ends what it has; a second `down` is the first one's result.
    await running?.down().catch(() => {})
  }
}

function call(
  words: readonly string[],
  { folder }: StoryFleet,
  proxy: FaultProxy,
  { engineTimeout, bringUpMs }: Patience,
): Promise<CommandResult> {
  const env = { DOCKER_HOST: proxy.url, TESTFLEET_ENGINE_TIMEOUT: engineTimeout, TMPDIR: folder }
  return runTestfleet(words, { cwd: folder, env, timeoutMs: bringUpMs + DEADLINE_MS })
}

/** A failure of the catalogue, with its own exit code; a bug's stack trace is neither. */
function readEnding({ exitCode, stdout, stderr }: CommandResult): Ending {
  if (exitCode === 0) return { kind: 'well' }
  try {
    const { code } = JSON.parse(stdout).error as { code: FailureCode }
    if (failureCodes[code] === exitCode) return { kind: 'error', code }
  } catch {
    // Told below.
  }
  throw new Problem(`ended with ${exitCode} and no clear error: ${stdout}${stderr}`)
}

async function expectReady({ servers }: SessionReport): Promise<void> {
  const states = Object.entries(servers).map(([name, { state }]) => `${name} ${state}`)
  const endpoint = servers.web?.endpoints['8080/tcp']
  const text = await fetch(`http://${endpoint?.host}:${endpoint?.port}`).then((response) => response.text())
  if (!/^db ready,(?:seed completed,)?web ready$/.test(states.join()) || text !== 'hello')
    throw new Problem(`a false success: ${states.join()}, ${text}`)
}
