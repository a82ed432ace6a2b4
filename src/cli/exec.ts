import { once } from 'node:events'
import { constants } from 'node:os'
import type { ExecProcess } from '../api/calls/attach.ts'
import type { ExecResult } from '../api/types/exec.ts'
import { TestfleetError } from '../model/failures.ts'
import { writeJson } from './answer.ts'
import { type Call, clientOf, sessionOptions } from './call.ts'
import { readExecRequest } from './exec-request.ts'
import { makeRaw } from './raw-terminal.ts'

/**
 * The command's standard output, standard error and exit code stay what they are. From a terminal it has a terminal. Any
 * other input is read only with --interactive: in a loop of a script, it is the loop's.
 */
export async function run(call: Call): Promise<number> {
  const request = readExecRequest(call, process)
  const isTerminal = request.tty !== undefined
  const errors = watchErrorOutput()
  const { collectOutput, execInServer } = await import('../api/calls/attach.ts')
  return clientOf(call).inSession('exec', sessionOptions(call), async (session, tools) => {
    const signal = AbortSignal.any([tools.signal, errors.unread])
    const running = await execInServer(session, call.servers[0] ?? '', request, { ...tools, signal })
    const stopInput = passTerminal(running, request.stdin, isTerminal)
    try {
      return call.json ? writeResult(await collectOutput(running), call) : await passOutput(running, signal)
    } catch (error) {
      if (errors.unread.aborted) return 128 + constants.signals.SIGPIPE
      throw error
    } finally {
      stopInput()
      errors.stop()
    }
  })
}

/** A program of this machine would be ended when nobody reads its standard error any more. */
function watchErrorOutput(): { readonly unread: AbortSignal; stop(): void } {
  const controller = new AbortController()
  const onError = ({ code }: NodeJS.ErrnoException): void => {
    if (code === 'EPIPE') controller.abort(new TestfleetError('CANCELLED', 'nobody reads the errors any more'))
  }
  process.stderr.on('error', onError)
  return { unread: controller.signal, stop: () => void process.stderr.off('error', onError) }
}

/** Passes on standard input and the terminal's size. Returns a function that stops this and restores the terminal. */
function passTerminal(running: ExecProcess, takesInput: boolean, isTerminal: boolean): () => void {
  const { stdin, stdout } = process
  let isStopped = false
  // Reads no further until the command has taken what was read: a large input must not pile up in memory.
  const onData = (chunk: Buffer): void => {
    stdin.pause()
    void running.write(chunk).then(() => isStopped || stdin.resume())
  }
  const onEnd = (): void => running.endInput()
  const onResize = (): void => void running.resize(stdout.rows, stdout.columns).catch(() => {})
  if (isTerminal) stdout.on('resize', onResize)
  const restore = isTerminal && takesInput ? makeRaw(stdin) : () => {}
  if (takesInput) stdin.on('data', onData).once('end', onEnd)
  return () => {
    isStopped = true
    stdout.off('resize', onResize)
    if (!takesInput) return
    restore()
    stdin.off('data', onData).off('end', onEnd).pause()
    stdin.unref?.()
  }
}

async function passOutput(running: ExecProcess, signal: AbortSignal): Promise<number> {
  for await (const { stream, bytes } of running.output) {
    const to = process[stream]
    // A stdout that cannot be written ends the call; a stderr that cannot be written is skipped.
    const isFull = to.errored === null && !to.write(bytes)
    if (isFull) await once(to, 'drain', { signal }).catch(() => signal.throwIfAborted())
  }
  return running.exitCode()
}

function writeResult(result: ExecResult, call: Call): number {
  writeJson(call, result)
  return result.exitCode
}
