import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { describeProcesses } from './describe-processes.ts'
import type { WarmCall, WarmMessage } from './warm-command-process.ts'

interface WarmResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Processes that have carried out a call and wait for another one. */
const idle: ChildProcess[] = []

/** These give their own streams to another program, or to the engine. */
const handingOver = ['run', 'join', 'lease', 'save', 'load']

/**
 * Whether a call may be carried out by a process that has loaded the command already: most of what a call costs is the
 * start of its process. `npm run test:all` starts one for each call.
 */
export function mayBeWarm(words: readonly string[], env: Readonly<Record<string, unknown>> = {}): boolean {
  if (process.env.TESTFLEET_TEST_COLD !== undefined) return false
  return !words.some((word) => handingOver.includes(word)) && !Object.keys(env).some((name) => name.startsWith('NODE_'))
}

/** Carries out a call in a process of its own for as long as it takes, and keeps that process for later calls. */
export function callWarm(call: WarmCall, mainFile: string, timeoutMs: number): Promise<WarmResult> {
  const child = idle.pop() ?? startProcess(mainFile)
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const textOf = (stream: keyof typeof chunks): string => Buffer.concat(chunks[stream]).toString('utf8')
  return new Promise((resolve, reject) => {
    const onClock = (): void =>
      fail(`did not end within ${timeoutMs} ms`, `\nits processes:\n${describeProcesses(child.pid ?? 0)}`)
    const clock = setTimeout(onClock, timeoutMs)
    const onExit = (code: number | null): void => fail(`ended its process with ${code}`)
    const onMessage = (message: WarmMessage): void => {
      if ('stream' in message) {
        chunks[message.stream].push(message.chunk)
        return
      }
      stop()
      idle.push(child)
      resolve({ exitCode: message.exitCode, stdout: textOf('stdout'), stderr: textOf('stderr') })
    }
    const stop = (): void => {
      clearTimeout(clock)
      child.off('message', onMessage).off('exit', onExit)
    }
    const fail = (what: string, more = ''): void => {
      stop()
      child.kill('SIGKILL')
      reject(new Error(`testfleet ${call.words.join(' ')} ${what}; it said\n${textOf('stderr')}${more}`))
    }
    child.on('message', onMessage).on('exit', onExit)
    child.send(call)
  })
}

function startProcess(mainFile: string): ChildProcess {
  const child = fork(join(import.meta.dirname, 'warm-command-process.ts'), [mainFile], {
    execArgv: [],
    serialization: 'advanced',
    // What it prints comes as messages; what Node itself says when it crashes goes to the tests' own stderr.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A Ctrl-C at the tests ends them first.
    detached: true,
  })
  child.unref()
  child.channel?.unref()
  return child
}
