import { constants } from 'node:os'
import { TestfleetError } from '../model/failures.ts'

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
 * process at once. The end of whoever reads stdout counts as one, SIGPIPE: Node tells of it as an error of the stream.
 */
export function watchSignals(): WatchedSignals {
  const controller = new AbortController()
  let exitCode: number | undefined
  const onSignal = (name: (typeof watched)[number]): void => {
    // What is left to be cleaned up, the keeper does: it hears of our end.
    if (exitCode !== undefined) process.exit(exitCode)
    exitCode = 128 + constants.signals[name]
    controller.abort(new TestfleetError('CANCELLED', `ended by ${name}`))
  }
  for (const name of watched) process.on(name, onSignal)
  let isUnread = false
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' || exitCode !== undefined) return
    isUnread = true
    exitCode = 128 + constants.signals.SIGPIPE
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
      for (const name of watched) process.off(name, onSignal)
    },
  }
}
