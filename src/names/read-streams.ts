import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { onAbort } from '../model/on-abort.ts'

/** Receives the output of a program. */
export interface ProgramStreams {
  stdout(bytes: Buffer): void
  stderr(bytes: Buffer): void
  /** Called once nothing more comes. */
  end(): void
  /** Fires when nobody reads the output any more. The pipes are then closed, so that programs that write on receive SIGPIPE. */
  readonly unread?: AbortSignal | undefined
}

/** Both ends of the output of a program that is about to start. */
export interface OutputPipes {
  /** Standard output and standard error of the program. */
  readonly stdio: readonly [number | 'pipe', number | 'pipe']
  /** Passes on what the program writes. The returned function resolves once all that it wrote before its end has come. */
  read(child: ChildProcess): () => Promise<void>
}

/** A program that the command has left running may keep its output open, and write nothing more. */
const SILENCE_MS = 2_000

/** Time limit for `mkfifo`. */
const MAKE_MS = 5_000

/**
 * Opens pipes for the output of a program. The pipes of Node are sockets, which scripts cannot open by /dev/stderr, so real
 * ones are made where `mkfifo` exists.
 */
export async function openOutputPipes(streams: ProgramStreams): Promise<OutputPipes> {
  const pipes = await makePipes().catch(() => undefined)
  if (pipes === undefined)
    return { stdio: ['pipe', 'pipe'], read: ({ stdout, stderr }) => readAll(stdout, stderr, streams) }
  const [out, err] = pipes
  return {
    stdio: [out.writer, err.writer],
    read() {
      // The program has them now, or could not be started. Once it has ended, nobody has.
      for (const { writer } of pipes) closeSync(writer)
      return readAll(out.reader, err.reader, streams)
    },
  }
}

interface Pipe {
  readonly reader: Socket
  readonly writer: number
}

async function makePipes(): Promise<readonly [Pipe, Pipe]> {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-output-'))
  try {
    const paths = [join(folder, 'stdout'), join(folder, 'stderr')] as const
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { timeout: MAKE_MS, killSignal: 'SIGKILL' })
    return [openPipe(paths[0]), openPipe(paths[1])]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opened for reading first, without waiting for a writer: so neither end waits for the other. */
function openPipe(path: string): Pipe {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  return { reader: new Socket({ fd, readable: true, writable: false }), writer }
}

function readAll(
  stdout: Readable | null,
  stderr: Readable | null,
  { end, unread, ...streams }: ProgramStreams,
): () => Promise<void> {
  let clock: NodeJS.Timeout | undefined
  const readers = { stdout, stderr }
  const close = (): void => {
    for (const reader of Object.values(readers)) reader?.destroy()
  }
  const stopListening = onAbort(unread, close)
  const closed = (['stdout', 'stderr'] as const).map(async (name) => {
    const reader = readers[name]?.on('data', (bytes: Buffer) => {
      clock?.refresh()
      streams[name](bytes)
    })
    if (reader !== undefined) await once(reader, 'close').catch(() => {})
  })
  return async () => {
    const silent = new Promise<void>((resolve) => {
      clock = setTimeout(resolve, SILENCE_MS)
    })
    await Promise.race([Promise.all(closed), silent])
    clearTimeout(clock)
    stopListening()
    close()
    end()
  }
}
