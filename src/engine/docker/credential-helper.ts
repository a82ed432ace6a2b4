import { spawn } from 'node:child_process'
import { onAbort } from '../../model/on-abort.ts'
import { asRecord, asText, type DockerHome } from './docker-config.ts'

/** The answer of a credential helper. */
export interface Helper {
  readonly username?: string | undefined
  readonly secret?: string | undefined
  /** Why it gave no login; undefined if it has no login for the registry. */
  readonly problem?: string | undefined
}

/** The helper's name becomes part of a program name. */
const helperName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const helperTimeoutMs = 10_000
const maxAnswerBytes = 1024 * 1024

/** Runs `docker-credential-NAME get`, and sends the registry to its standard input. No shell is involved. */
export async function askHelper(
  name: string,
  registry: string,
  environment: DockerHome['environment'],
  signal: AbortSignal | undefined,
  timeoutMs: number = helperTimeoutMs,
): Promise<Helper> {
  if (!helperName.test(name)) return { problem: 'config.json names an invalid credential helper.' }
  const program = `docker-credential-${name}`
  signal?.throwIfAborted()
  const { exitCode, output, error } = await runHelper(program, registry, environment, signal, timeoutMs)
  signal?.throwIfAborted()
  const failed = (why: string): Helper => ({
    problem: `The login for ${registry} could not be read: ${program} ${why}.`,
  })
  if (error !== undefined) return failed(error)
  // The helpers' protocol has no error code, only this message.
  if (/credentials not found/i.test(output)) return {}
  if (exitCode !== 0) return failed(`exits with ${exitCode}`)
  try {
    const answer = asRecord(JSON.parse(output))
    return { username: asText(answer.Username), secret: asText(answer.Secret) }
  } catch {
    return failed('does not answer with JSON')
  }
}

interface Outcome {
  readonly exitCode: number | undefined
  readonly output: string
  readonly error: string | undefined
}

function runHelper(
  program: string,
  registry: string,
  environment: DockerHome['environment'],
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    let stopListening = (): void => {}
    const end = (error: string | undefined, exitCode?: number): void => {
      clearTimeout(clock)
      stopListening()
      resolve({ exitCode, output: Buffer.concat(chunks).toString('utf8'), error })
    }
    const stop = (why: string): void => {
      child.kill('SIGKILL')
      // Its child processes may keep the pipe open.
      child.stdout.destroy()
      end(why)
    }
    const child = spawn(program, ['get'], { env: { ...environment }, stdio: ['pipe', 'pipe', 'ignore'] })
    const clock = setTimeout(() => stop(`gave no answer within ${timeoutMs / 1000} s`), timeoutMs)
    stopListening = onAbort(signal, () => stop('was ended'))
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxAnswerBytes) stop('sends an endless answer')
      else chunks.push(chunk)
    })
    child.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ENOENT' ? 'is not on the PATH' : error.message),
    )
    child.once('close', (code) => end(undefined, code ?? -1))
    // A helper may exit without reading its input; only its answer counts.
    child.stdin.on('error', () => {})
    child.stdin.end(registry)
  })
}
