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
