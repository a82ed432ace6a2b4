import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import { findProgram } from '../find-program.ts'
import { startProgram } from '../programs.ts'
import { makeFolder } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { containerPath, removeExit, runtimeRoot } from './life.ts'

/** Files of the monitor in the container's folder. */
export const monitorFiles = {
  /** Id of the container's first process. */
  process: 'pidfile',
  /** Id of the monitor's own process. */
  monitor: 'conmon.pid',
  log: 'log',
  /** There from before the monitor is started until the container runs. */
  starting: 'starting',
  outOfMemory: 'oom',
} as const

export interface MonitorRequest {
  /** Sockets that it keeps open as long as it lives. */
  readonly descriptors: readonly number[]
  /** Program with its words that it runs at its end. */
  readonly onExit: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

const CREATE_MS = 60_000

/**
 * Starts the monitor, which calls the OCI runtime to make the container. Returns the id of its first process, which then waits
 * for the word to begin. Rejects with the runtime's words as message.
 */
export async function startMonitor(
  local: Local,
  { id, name, spec }: ContainerRecord,
  { descriptors, onExit, signal }: MonitorRequest,
): Promise<number> {
  const at = (file: string): string => containerPath(local, id, file)
  const exits = local.store.path('exits')
  const stale = [monitorFiles.process, monitorFiles.monitor, monitorFiles.outOfMemory]
  const [runtime] = await Promise.all([
    local.runtime().then(findProgram),
    makeFolder(exits),
    makeFolder(runtimeRoot(local)),
    removeExit(local, id),
    writeFile(at(monitorFiles.starting), ''),
    ...stale.map((file) => rm(at(file), { force: true })),
  ])
  const words = [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', name, '-r', runtime ?? ''],
    ...['--runtime-arg', '--root', '--runtime-arg', runtimeRoot(local)],
    ...['-b', at('.'), '-p', at(monitorFiles.process), '-P', at(monitorFiles.monitor)],
    ...['--exit-dir', exits, '-l', `k8s-file:${at(monitorFiles.log)}`, '--socket-dir-path', at('.')],
    ...['--no-sync-log', ...(spec.tty ? ['-t'] : [])],
    ...(await exitWords(onExit)),
  ]
  return readAnswer(local, at('.'), words, descriptors, signal)
}

async function exitWords(onExit: readonly string[] | undefined): Promise<readonly string[]> {
  const [program, ...rest] = onExit ?? []
  if (program === undefined) return []
  const path = program.startsWith('/') ? program : await findProgram(program)
  return path === undefined ? [] : ['--exit-command', path, ...rest.flatMap((word) => ['--exit-command-arg', word])]
}

const MOST_BYTES = 64 << 10

/** The monitor writes one line of JSON when the container is there, or why it is not. */
function readAnswer(
  { machine }: Local,
  folder: string,
  words: readonly string[],
  descriptors: readonly number[],
  signal: AbortSignal | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = startProgram(machine, 'conmon', words, ['ignore', 'ignore', 'pipe', 'pipe', ...descriptors], {
      folder,
      environment: { _OCI_SYNCPIPE: '3' },
    })
    const text = { said: '', answer: '' }
    const clock = setTimeout(() => fail(new Error('conmon did not answer in time')), CREATE_MS)
    const stopListening = onAbort(signal, () => fail(signal?.reason))
    const finish = (): void => {
      clearTimeout(clock)
      stopListening()
      child.stderr?.destroy()
      pipe?.destroy()
    }
    const fail = (reason: unknown): void => {
      finish()
      reject(reason)
    }
    child.on('error', (error: NodeJS.ErrnoException) =>
      fail(
        error.code === 'ENOENT'
          ? new TestfleetError('ENGINE_REFUSED', 'conmon is not installed', { hint: 'Install the package conmon.' })
          : error,
      ),
    )
    child.stderr?.on('data', (chunk: Buffer) => {
      if (text.said.length < MOST_BYTES) text.said += chunk.toString('utf8')
    })
    child.stderr?.on('error', () => {})
    const pipe = child.stdio[3] as NodeJS.ReadableStream & { destroy(): void }
    pipe.on('data', (chunk: Buffer) => {
      if (text.answer.length < MOST_BYTES) text.answer += chunk.toString('utf8')
      if (!text.answer.includes('\n')) return
      const { pid, why } = readLine(text.answer)
      if (pid === undefined) return fail(new Error(why || text.said || 'conmon gave no reason'))
      finish()
      resolve(pid)
    })
    pipe.on('error', fail)
    pipe.on('end', () => fail(new Error(text.said.trim() || 'conmon ended without an answer')))
  })
}

function readLine(answer: string): { readonly pid?: number; readonly why?: string } {
  try {
    const { data, pid = data, message } = JSON.parse(answer) as { data?: number; pid?: number; message?: string }
    return pid !== undefined && pid > 0 ? { pid } : { why: message ?? '' }
  } catch {
    return { why: answer }
  }
}

/** Reads the id of a process that the monitor has written; undefined while it has not. */
export async function readPid(local: Local, id: string, file: 'process' | 'monitor'): Promise<number | undefined> {
  const path = join(containerPath(local, id), monitorFiles[file])
  const pid = Number(await readFile(path, 'utf8').catch(() => ''))
  return Number.isInteger(pid) && pid > 1 ? pid : undefined
}
