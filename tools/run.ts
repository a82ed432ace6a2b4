import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'

export const root = dirname(import.meta.dirname)

/** The programs write into a pipe, so they do not see the terminal by themselves. */
const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined ? { FORCE_COLOR: '1' } : {}

export interface Finished {
  readonly exitCode: number
  readonly output: string
  readonly tookMs: number
}

/**
 * Runs a program of the clone, in the clone's folder, and keeps its output.
 *
 * @param command its name in node_modules/.bin, or `node`, and its arguments
 * @param onOutput gets the output as it comes
 */
export function run(
  command: readonly [string, ...string[]],
  onOutput: (text: string) => void = () => {},
): Promise<Finished> {
  const startedAt = performance.now()
  const [program, ...rest] = command
  const bin = join(root, 'node_modules/.bin')
  const child = spawn(join(bin, program), rest, {
    cwd: root,
    env: { ...process.env, ...colours, PATH: `${bin}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let kept = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      kept += text
      onOutput(text)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ exitCode: code ?? 1, output: kept, tookMs: performance.now() - startedAt })
    })
  })
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
