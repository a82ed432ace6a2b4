import type { CallOptions } from './options.ts'

/** Options of a command that runs inside a server. */
export interface ExecOptions extends CallOptions {
  /** Variables of the command, in addition to those of the server. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** User to run as, such as `postgres` or `1000:1000`. Default: the user of the server. */
  readonly user?: string | undefined
  /** Folder inside the server to start in. Default: the working folder of the server. */
  readonly workingDir?: string | undefined
  /** What the command reads from its standard input. Default: nothing. */
  readonly input?: string | Uint8Array | undefined
}

/** Result of a command inside a server. */
export interface ExecResult {
  /** 0 for success, by convention. */
  readonly exitCode: number
  /** Everything that the command wrote to its standard output, as UTF-8. */
  readonly stdout: string
  /** Everything that the command wrote to its standard error, as UTF-8. */
  readonly stderr: string
}

/** Options of a command whose output is read while it runs. */
export type SpawnOptions = Omit<ExecOptions, 'input'>

/** A piece of a command's output. */
export interface ProcessOutput {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
  /** The same as text: a character that is cut comes whole with the next piece. */
  readonly text: string
}

/** A command that runs inside a server. `await using` ends it. */
export interface ServerProcess {
  /**
   * What the command writes, as it comes; to be read once. A reader that is slow slows down the command. One that leaves
   * the loop before the end ends the command, and everything that it started.
   */
  readonly output: AsyncIterable<ProcessOutput>
  /** Exit code, once the output has ended. Output that nobody has begun to read is dropped. 143 after `kill()`. */
  readonly exitCode: Promise<number>
  /** Writes to its standard input. Resolves when the command is ready for more. */
  write(data: string | Uint8Array): Promise<void>
  /** Ends its standard input. */
  end(): void
  /** Ends the command with everything that it started: by SIGTERM, and by SIGKILL half a second later. */
  kill(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
