import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentHost } from '../../src/current-host.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { label } from '../../src/model/labels.ts'
import { isProcessId } from '../../src/model/process-id.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { withProcesses } from '../../src/runtime/processes/with-processes.ts'
import { readRecords, type StoredRecord } from '../../src/sessions/store.ts'
import { describeProcesses } from './describe-processes.ts'
import { callWarm, mayBeWarm } from './warm-command.ts'

export interface CommandOptions {
  readonly cwd?: string | undefined
  /** Over the environment of the tests; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Its standard input; without it, there is none. */
  readonly input?: string | undefined
  /** A call that takes longer is killed, and is an error of the test. Default: two minutes. */
  readonly timeoutMs?: number | undefined
  /** Words before the command, such as setpriv and its options. */
  readonly prefix?: readonly string[]
  /** Only the prefix is run. */
  readonly isBare?: boolean
}

export interface CommandResult {
  /** 128 and its number when a signal ended the command without its say. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Of the whole process. */
  readonly elapsedMs: number
}

/** A call of the command that has begun. */
export interface RunningCommand {
  readonly result: Promise<CommandResult>
  readonly pid: number
  /** To the command itself, as `kill` does it. */
  kill(signal: NodeJS.Signals): void
  /** To all of its process group, as a terminal's Ctrl-C does it. */
  killGroup(signal: NodeJS.Signals): void
  /** Resolves once what it has printed matches; rejects when it ends before, or at its deadline. */
  waitForOutput(pattern: RegExp): Promise<void>
}

const DEADLINE_MS = 120_000

const unset = {
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  NODE_OPTIONS: undefined,
  CI: undefined,
  GITHUB_ACTIONS: undefined,
  GITLAB_CI: undefined,
}

const root = join(import.meta.dirname, '../..')

/** The built command when it is newer than its source, else the command from source. */
export const mainFile = chooseMain()

function chooseMain(): string {
  const built = join(root, 'dist/cli/testfleet.cjs')
  const source = join(root, 'src')
  if (existsSync(built) && statSync(built).mtimeMs > newestIn(source)) return built
  return join(source, 'cli/main.ts')
}

function newestIn(folder: string): number {
  const times = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  return Math.max(...times)
}

/** Runs the command to its end, in a process that other calls may have used before. */
export async function runTestfleet(words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd = tmpdir(), env, input, prefix, isBare, timeoutMs = DEADLINE_MS } = options
  const isPlain = input === undefined && prefix === undefined && isBare === undefined
  if (!isPlain || !mayBeWarm(words, env)) return runAlone(words, options)
  const startedAt = performance.now()
  const result = await callWarm({ words, cwd, env: environmentOf(options) }, mainFile, timeoutMs)
  return { ...result, elapsedMs: performance.now() - startedAt }
}

/** Runs the command to its end, in a process of its own. */
function runAlone(words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startTestfleet(words, options).result
}

/** Colours, a session, and the variables of a CI system come only from the test. */
function environmentOf({ env }: CommandOptions): NodeJS.ProcessEnv {
  return { ...process.env, ...unset, ...env }
}

/** Starts the command, for tests that do something meanwhile. */
export function startTestfleet(words: readonly string[], options: CommandOptions = {}): RunningCommand {
  const startedAt = performance.now()
  const [program = '', ...rest] = [
    ...(options.prefix ?? []),
    ...(options.isBare ? [] : [process.execPath, mainFile, ...words]),
  ]
  const child = spawn(program, rest, {
    cwd: options.cwd ?? tmpdir(),
    env: environmentOf(options),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  if (options.input !== undefined) child.stdin?.on('error', () => {}).end(options.input)
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const result = new Promise<CommandResult>((resolve, reject) => {
    const timeoutMs = options.timeoutMs ?? DEADLINE_MS
    const clock = setTimeout(() => {
      const said = `it said\n${output.stderr}\nits processes:\n${describeProcesses(child.pid ?? 0)}`
      signalGroup(child, 'SIGKILL')
      reject(new Error(`testfleet ${words.join(' ')} did not end within ${timeoutMs} ms; ${said}`))
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(clock)
      reject(error)
    })
    child.once('close', (code, signal) => {
      clearTimeout(clock)
      resolve({ exitCode: code ?? signalExitCode(signal), ...output, elapsedMs: performance.now() - startedAt })
    })
  })
  // A test that fails before it looks at the result has said enough.
  result.catch(() => {})
  return {
    result,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    killGroup: (signal) => signalGroup(child, signal),
    waitForOutput: (pattern) => waitForOutput(child, result, () => output.stdout + output.stderr, pattern),
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch (error) {
    // All of it has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function signalExitCode(signal: NodeJS.Signals | null): number {
  return signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : signal === 'SIGKILL' ? 137 : 128
}

function waitForOutput(
  child: ChildProcess,
  result: Promise<CommandResult>,
  read: () => string,
  pattern: RegExp,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (pattern.test(read())) resolve()
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    look()
    result.then(() => reject(new Error(`it ended without ${pattern}; it said\n${read()}`)), reject)
  })
}

const folders: string[] = []

/** A new folder with these files in it, by their relative paths. Gone with `removeFleetFolders`. */
export async function makeFleetFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'testfleet-e2e-')))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

export async function removeFleetFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
}

/** The engine that the tests use, to look at it without the command. */
export async function withEngine<Result>(use: (engine: Engine) => Promise<Result>): Promise<Result> {
  const engine = await openEngine(undefined, currentHost())
  try {
    return await use(engine)
  } finally {
    engine.close()
  }
}

/** The records of the sessions that are on the engine. */
export async function listRecords(): Promise<readonly StoredRecord[]> {
  return withEngine(async (engine) => readRecords(await openContainers(engine).listRecords()).sessions)
}

export async function countLeftovers(session?: string): Promise<number> {
  return (await listLeftovers(session)).length
}

/** Any call cleans up after dead calls, also those of other tests. This removes what it reports of other fleets. */
export function ofItsOwn(result: CommandResult, fleet: string): CommandResult {
  const isOfAnother = (line: string): boolean => {
    const [, session] = /^session (\S+): cleaned up after a dead process: /.exec(line) ?? []
    return session !== undefined && !isOfSession(session, fleet)
  }
  const stderr = result.stderr.split('\n').filter((line) => !isOfAnother(line))
  return { ...result, stderr: stderr.join('\n') }
}

/**
 * The servers, networks, volumes and records of a session that there are, on the engine and on this machine; without a
 * name, of all sessions.
 * The sessions that `run` and `share` make for a fleet (`<name>-1f2e3d`) count with the name that they begin with. What has no
 * record any more is counted by the fleet that made it.
 */
export async function listLeftovers(session?: string): Promise<readonly string[]> {
  return withEngine(async (engine) => {
    const all = { [label.session]: '' }
    const [containers, networks, volumes] = await Promise.all([
      engine.listContainers(all),
      engine.listNetworks(all),
      engine.listVolumes(all),
    ])
    const runtime = openContainers(engine)
    const { sessions } = readRecords(await runtime.listRecords())
    const processes = (await withProcesses(runtime, currentHost()).listServers(all)).filter(({ id }) => isProcessId(id))
    const names = new Map(sessions.map(({ id, name }) => [id, name]))
    const isWanted = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
      isOfSession(names.get(labels[label.session] ?? '') ?? labels[label.fleet] ?? '', session)
    return [
      ...containers.filter(isWanted).map(({ name, state }) => `container ${name}, ${state}`),
      ...processes.filter(isWanted).map(({ name, state }) => `process server ${name}, ${state}`),
      ...networks.filter(isWanted).map(({ name }) => `network ${name}`),
      ...volumes.filter(isWanted).map(({ name }) => `volume ${name}`),
    ]
  })
}

/** What ends does so long before this, on a busy machine too; what hangs here does so for ten minutes. */
export const SOON_MS = 60_000

/** Resolves once nothing of a session is left; rejects with how much there is when that takes too long. */
export async function waitForNothing(session?: string): Promise<void> {
  const deadline = performance.now() + SOON_MS
  for (;;) {
    const count = await countLeftovers(session)
    if (count === 0) return
    if (performance.now() > deadline) throw new Error(`${count} things of ${session ?? 'some session'} are left`)
    await sleep(100)
  }
}

function isOfSession(candidate: string, session: string | undefined): boolean {
  if (session === undefined) return true
  return candidate === session || (candidate.startsWith(`${session}-`) && /-[0-9a-f]{6,7}$/.test(candidate))
}
