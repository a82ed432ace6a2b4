import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'

export const root = dirname(import.meta.dirname)

export interface Finished {
  readonly exitCode: number
  readonly output: string
  readonly tookMs: number
}

/**
 * Runs a program of the clone, in the clone's folder. Its output is shown as it comes, or kept.
 *
 * @param command its name in node_modules/.bin, or `node`, and its arguments
 */
export function run(command: readonly [string, ...string[]], output: 'shown' | 'kept'): Promise<Finished> {
  const startedAt = performance.now()
  const [program, ...rest] = command
  const bin = join(root, 'node_modules/.bin')
  const child = spawn(join(bin, program), rest, {
    cwd: root,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    stdio: output === 'shown' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  })
  let kept = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept += text
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
