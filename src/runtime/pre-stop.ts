import type { CallOptions, Engine } from '../engine/engine.ts'
import { readEnd } from '../engine/output-text.ts'
import { formatDuration } from '../formats/duration.ts'
import { wordError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import { MAX_SECRET_BYTES, SECRETS_FOLDER } from '../model/fleet.ts'
import { fillHookEnvironment, type Hook } from '../model/hook.ts'
import type { StopListener, StoppableServer } from './runtime.ts'

const MAX_OUTPUT_BYTES = 8192
const LINES_SHOWN = 10

/** What has servers in which commands can run. */
export type HookHost = Pick<Engine, 'exec' | 'inspectContainer' | 'getArchive'>

/**
 * Runs commands inside a server before it stops, one after the other, until one fails. A failure is reported, and the
 * server stops anyway. Rejects only when `signal` has fired.
 */
export async function runPreStop(
  engine: HookHost,
  server: StoppableServer,
  hooks: readonly Hook[],
  listener: StopListener,
  options: CallOptions = {},
): Promise<void> {
  const secrets = hooks.some(usesSecret) ? await readSecrets(engine, server, options) : undefined
  for (const [index, hook] of hooks.entries()) {
    const number = index + 1
    listener.onPreStop?.(server, hook, number, hooks.length)
    const failed = await runOne(engine, server, hook, secrets ?? new Map(), options)
    if (failed === undefined) continue
    // A server that has ended, or was removed by another call, needs no preparation.
    if (!(await isRunning(engine, server, options))) return
    const hidden = [...(secrets ?? (await readSecrets(engine, server, options))).values()]
    listener.onPreStopFailed?.(server, { hook, number, ...failed, secrets: hidden })
    return
  }
}

function usesSecret({ environment }: Hook): boolean {
  return Object.values(environment).some(({ kind }) => kind === 'secret')
}

interface Failed {
  readonly why: string
  readonly output: readonly string[]
}

async function runOne(
  engine: HookHost,
  { id }: StoppableServer,
  { command, user, workingDir, environment, timeoutMs }: Hook,
  secrets: ReadonlyMap<string, string>,
  { signal }: CallOptions,
): Promise<Failed | undefined> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  const request = {
    command,
    environment: fillHookEnvironment(environment, secrets),
    ...(user !== undefined && { user }),
    ...(workingDir !== undefined && { workingDir }),
  }
  try {
    const running = await engine.exec(id, request, { signal: either })
    const text = await readEnd(running.output, MAX_OUTPUT_BYTES)
    const exitCode = await running.exitCode()
    const output = text.trimEnd().split('\n').slice(-LINES_SHOWN)
    return exitCode === 0 ? undefined : { why: `failed with exit code ${exitCode}`, output }
  } catch (error) {
    signal?.throwIfAborted()
    if (timeout.aborted) return { why: `did not end within ${formatDuration(timeoutMs)}`, output: [] }
    return { why: `failed: ${wordError(error)}`, output: [] }
  }
}

async function isRunning(engine: HookHost, { id }: StoppableServer, options: CallOptions): Promise<boolean> {
  try {
    return (await engine.inspectContainer(id, options)).state === 'running'
  } catch (error) {
    if (isFailure(error, 'NOT_FOUND')) return false
    throw error
  }
}

/** Reads the server's secrets, which its commands may use. */
async function readSecrets(
  engine: HookHost,
  { id }: StoppableServer,
  options: CallOptions,
): Promise<Map<string, string>> {
  try {
    const archive = await engine.getArchive(id, SECRETS_FOLDER, 32 * MAX_SECRET_BYTES, options)
    const { unpackTar } = await import('modern-tar')
    const files = (await unpackTar(archive)).filter(({ header }) => header.type === 'file')
    const text = new TextDecoder('utf-8', { ignoreBOM: true })
    return new Map(files.map(({ header, data }) => [header.name.split('/').at(-1) ?? '', text.decode(data)]))
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isFailure(error)) return new Map()
    throw error
  }
}
