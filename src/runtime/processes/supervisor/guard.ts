import { spawn } from 'node:child_process'
import { OUTLIVES_STARTER } from '../../../model/host.ts'
import { findTool } from './find-tool.ts'

/** Argument of a supervisor's program that only cleans up after one. The folder of its server follows. */
export const AFTER_DEATH = 'after-death'

/**
 * Has what is left of a server ended as soon as this process was killed. `xargs` waits for that: it runs a command with
 * what it reads once its input has ended, and needs a fraction of the memory of a second Node. Without it, the next call
 * or the keeper cleans up. Returns a function that ends the guard.
 */
export function guardServer(folder: string, program: readonly string[]): () => void {
  const xargs = findTool('xargs')
  if (xargs === undefined) return () => {}
  const guard = spawn(xargs, ['-0', ...program, OUTLIVES_STARTER, AFTER_DEATH], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: {},
  })
  guard.on('error', () => {}).unref()
  guard.stdin.on('error', () => {})
  guard.stdin.write(`${folder}\0`)
  return () => void guard.kill('SIGKILL')
}
