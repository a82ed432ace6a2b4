import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { parse } from 'node:path'
import type { Order, Ready } from './protocol.ts'
import { openTalk, type Talk } from './talk.ts'

/** A keeper that holds a session for this process. */
export interface Keeper extends Ready, Pick<Talk, 'ask' | 'tell'> {
  /** Leaves it alone: what it then does, it does by itself. */
  let(): void
}

export interface KeeperHost {
  /** The program. */
  readonly keeperFile: string
  readonly platform: NodeJS.Platform
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Starts one, detached: it outlives its starter, its terminal and its process group. Undefined when it does not come
 * up; the next call of testfleet then cleans up what it would have.
 */
export async function startKeeper(order: Order, host: KeeperHost): Promise<Keeper | undefined> {
  const child = spawn(process.execPath, [host.keeperFile], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    // No folder is held busy, and nothing of the caller's environment is held in memory for who knows how long.
    cwd: parse(host.keeperFile).root,
    env: host.platform === 'win32' ? { SystemRoot: host.environment.SystemRoot } : {},
    windowsHide: true,
  })
  const hasStarted = new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true)).once('error', () => resolve(false))
  })
  const { stdin, stdout } = child
  const talk = openTalk(stdout, stdin)
  // A program that has nothing else to do may end: that is what the keeper is for.
  child.unref()
  for (const pipe of [stdin, stdout] as unknown as Socket[]) pipe.unref()
  if (!(await hasStarted)) return undefined
  stdin.write(`${JSON.stringify(order)}\n`)
  const [ready, greeting] = [await talk.next(), await talk.next()]
  if (ready === undefined || greeting === undefined) {
    child.kill('SIGKILL')
    return undefined
  }
  return {
    ...(JSON.parse(ready) as Ready),
    ask: talk.ask,
    tell: talk.tell,
    let() {
      stdin.destroy()
      stdout.destroy()
    },
  }
}
