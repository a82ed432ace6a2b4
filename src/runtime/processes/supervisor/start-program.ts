import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { wordFileError } from '../../../formats/word-error.ts'
import { TestfleetError } from '../../../model/failures.ts'
import { MARK } from '../process-tree.ts'
import type { ProgramSpec } from '../protocol.ts'
import { refuseTaken } from './check-port.ts'
import { explainLength } from './explain-length.ts'
import { findProgram } from './find-program.ts'
import { findTool } from './find-tool.ts'
import type { RunProgram, View } from './reach-by-name.ts'

/** The server of a program. */
export interface ProgramPlace {
  /** Id of the server. */
  readonly id: string
  /** Folder of the server. */
  readonly folder: string
  readonly userId: number | undefined
}

export interface StartedProgram {
  readonly child: ChildProcess
  readonly stdout: Readable
  readonly stderr: Readable
  /** Must be called once it has ended. */
  close(): void
}

/** What a start reports, and what ends it before its program runs. */
export interface StartLimits {
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Starts a program in a process group and session of its own, with the mark of its server in its environment. Fails with
 * COMMAND_NOT_FOUND, PORT_TAKEN or START_FAILED, or with the reason of the signal. `say` writes a line to the server's log.
 */
export async function startProgram(
  spec: ProgramSpec,
  place: ProgramPlace,
  limits: StartLimits,
): Promise<StartedProgram> {
  const path = findProgram(spec)
  for (const port of spec.ports) refuseTaken(port)
  const pipes = await openPipes(place.folder)
  const program = endWithParent({ path, words: spec.command.slice(1) })
  let view: View | undefined
  try {
    view = await openView(spec, program, place, limits)
    limits.signal.throwIfAborted()
    const child = spawn(view.program.path, view.program.words, {
      cwd: spec.folder,
      env: { ...view.environment, [MARK]: place.id },
      detached: true,
      stdio: ['ignore', pipes?.[0].write ?? 'pipe', pipes?.[1].write ?? 'pipe'],
    })
    await once(child, 'spawn').catch((error: unknown) => {
      throw new TestfleetError('COMMAND_NOT_FOUND', `${path} cannot be run: ${wordFileError(error)}`, { cause: error })
    })
    const [stdout, stderr] = pipes === undefined ? [child.stdout, child.stderr] : pipes.map(toStream)
    if (!stdout || !stderr) throw new Error('a program has two streams')
    return { child, stdout, stderr, close: view.close }
  } catch (error) {
    view?.close()
    for (const { read } of pipes ?? []) closeSync(read)
    throw explainLength(error, spec)
  } finally {
    for (const { write } of pipes ?? []) closeSync(write)
  }
}

/**
 * Returns how to start a program that the kernel kills when this process is killed. Not every system has such a program
 * as `setpriv`, and that of busybox cannot do it: then what is left is found by its mark.
 */
function endWithParent({ path, words }: RunProgram): RunProgram {
  const setpriv = findTool('setpriv')
  if (setpriv === undefined) return { path, words }
  return { path: setpriv, words: ['--pdeathsig', 'KILL', '--', path, ...words] }
}

/** Returns how to start a program that reaches the servers it depends on by their names. */
async function openView(
  { environment, folder: workingFolder, names }: ProgramSpec,
  program: RunProgram,
  { folder: temporaryFolder, userId }: ProgramPlace,
  limits: StartLimits,
): Promise<View> {
  if (names === undefined) return { program, environment, close() {} }
  // Loaded on demand: many programs depend on no server with a name.
  const { reachByName } = await import('./reach-by-name.ts')
  const view = await reachByName(program, names, { environment, workingFolder, temporaryFolder, userId }, limits)
  // Entering a user namespace ends what was agreed with the kernel before.
  return { ...view, program: endWithParent(view.program) }
}

interface Pipe {
  readonly read: number
  readonly write: number
}

/** Time limit for `mkfifo`. */
const MAKE_MS = 5000

/**
 * Opens real pipes for the output, because Node's own are sockets, and no program can open those as /dev/stdout or
 * /dev/stderr. Undefined where there is no `mkfifo`.
 */
async function openPipes(folder: string): Promise<[Pipe, Pipe] | undefined> {
  const tool = findTool('mkfifo')
  const paths = ['stdout', 'stderr'].map((name) => join(folder, name))
  const opened: Pipe[] = []
  if (tool === undefined) return undefined
  const maker = spawn(tool, ['-m', '600', ...paths], {
    env: {},
    stdio: 'ignore',
    timeout: MAKE_MS,
    killSignal: 'SIGKILL',
  })
  const [code] = await once(maker, 'close').catch(() => [1])
  if (code !== 0) return undefined
  for (const path of paths) {
    // Without O_NONBLOCK, opening the one end would wait for the other.
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    opened.push({ read, write: openSync(path, constants.O_WRONLY) })
    rmSync(path)
  }
  return opened as [Pipe, Pipe]
}

function toStream({ read }: Pipe): Readable {
  return new Socket({ fd: read, readable: true, writable: false })
}
