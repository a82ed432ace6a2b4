import { constants } from 'node:os'
import { EventHub } from '../api/event-hub.ts'
import { currentHost } from '../current-host.ts'
import { stripFromLines } from '../formats/strip-controls.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { speakAs } from '../model/surface.ts'
import type { Call } from './call.ts'
import { restoreDroppedVariables } from './dropped-variables.ts'
import type { EventFile } from './event-file.ts'
import { ignoreSignals, takeIgnoredSignals } from './ignored-signals.ts'
import { loadCommand } from './load-command.ts'
import { openOutput } from './output.ts'
import { parseCall } from './parse-call.ts'
import { tellFailure } from './tell-failure.ts'

/** One call from its words to its exit code. */
export async function runCall(words: readonly string[]): Promise<number> {
  // Words after `--` belong to another program.
  const isJson = words.slice(0, words.indexOf('--') >>> 0).includes('--json')
  speakAs('command')
  restoreDroppedVariables(process.env)
  const ignored = takeIgnoredSignals(process.env)
  ignoreSignals(ignored)
  const signals = watchSignals(watched.filter((name) => !ignored.includes(name)))
  let isQuiet = false
  let events: EventFile | undefined
  let output = openOutput({ json: isJson, quiet: false, verbose: false, color: undefined })
  try {
    const parsed = parseCall(words)
    if (parsed.help) {
      const { formatHelp } = await import('./help.ts')
      output.write(formatHelp(parsed.name))
      return 0
    }
    output = openOutput(parsed)
    isQuiet = parsed.quiet
    const hub = new EventHub()
    hub.add(output.onEvent)
    const { events: ofEvents, bundle, timeline, 'attach-logs': folder } = parsed.options
    const outputs = { events: ofEvents, bundle, timeline, 'attach-logs': folder }
    if (Object.values(outputs).filter((file) => file !== undefined).length > 1) {
      const { refuseSameOutput } = await import('./same-output.ts')
      refuseSameOutput(outputs, currentHost().workingFolder)
    }
    if (parsed.events !== undefined) {
      const { openEventFile } = await import('./event-file.ts')
      events = await openEventFile(parsed.events, currentHost(), signals.signal)
      hub.add(events.onEvent)
    }
    const own = { output, hub, recordEvent: events?.onEvent, signal: signals.signal, ignored }
    const call: Call = { ...parsed, host: currentHost(), ...own }
    const { run } = await loadCommand(parsed.name)
    return await run(call)
  } catch (error) {
    output.endProgress()
    // What an ended call stumbles over is of no interest; what it could not clean up is.
    const failure = isFailure(error) || signals.exitCode === undefined ? error : signals.signal.reason
    if (!isFailure(failure)) throw stripStack(failure)
    tellFailure(failure, output, { isJson, isQuiet, isUnread: signals.isUnread })
    return signals.exitCode ?? failure.exitCode
  } finally {
    output.endProgress()
    // After the result, which it must not hide.
    const missing = await events?.close()
    if (missing !== undefined)
      output.tell(`${output.palette.style('yellow', 'warning:')} events could not be written: ${missing}\n`)
    signals.stop()
  }
}

/** Node prints the stack of a bug by itself, and with it what the message quotes. */
function stripStack(error: unknown): unknown {
  if (error instanceof Error && error.stack !== undefined) error.stack = stripFromLines(error.stack)
  return error
}

const watched = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface WatchedSignals {
  readonly signal: AbortSignal
  /** 128 and the signal's number, once one has come. */
  readonly exitCode: number | undefined
  /** Whether the call was ended because nobody reads its results any more. */
  readonly isUnread: boolean
  stop(): void
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that what was begun is cleaned up; the second ends the
 * process at once. The end of the reader of stdout counts as one, SIGPIPE: Node reports it as an error of the stream.
 */
function watchSignals(names: readonly (typeof watched)[number][]): WatchedSignals {
  const controller = new AbortController()
  let exitCode: number | undefined
  const onSignal = (name: (typeof watched)[number]): void => {
    // What is left to be cleaned up, the keeper does: it hears of our end.
    if (exitCode !== undefined) process.exit(exitCode)
    exitCode = 128 + constants.signals[name]
    controller.abort(new TestfleetError('CANCELLED', `ended by ${name}`))
  }
  for (const name of names) process.on(name, onSignal)
  let isUnread = false
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (exitCode !== undefined) return
    isUnread = true
    exitCode = error.code === 'EPIPE' ? 128 + constants.signals.SIGPIPE : 1
    controller.abort(new TestfleetError('CANCELLED', 'nobody reads the output any more'))
  }
  process.stdout.on('error', onOutputError)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    get isUnread() {
      return isUnread
    },
    stop() {
      process.stdout.off('error', onOutputError)
      for (const name of names) process.off(name, onSignal)
    },
  }
}
