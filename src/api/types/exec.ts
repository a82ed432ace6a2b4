import type { CallOptions } from './options.ts'

export interface ExecOptions extends CallOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly user?: string | undefined
  readonly workingDir?: string | undefined
  /** What the command reads from its standard input. */
  readonly input?: string | Uint8Array | undefined
}

/** What a command did. */
export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}
