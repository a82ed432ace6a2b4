import { constants } from 'node:os'
import { TestfleetError } from '../model/failures.ts'

const watched = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface WatchedSignals {
  readonly signal: AbortSignal
  /** 128 and the signal's number, once one has come. */
  readonly exitCode: number | undefined
  stop(): void
}

/** Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that what was begun is cleaned up; later ones change nothing. */
export function watchSignals(): WatchedSignals {
  const controller = new AbortController()
  let exitCode: number | undefined
  const listeners = watched.map((name) => {
    const listener = (): void => {
      if (exitCode !== undefined) {
        process.stderr.write('still cleaning up\n')
        return
      }
      exitCode = 128 + constants.signals[name]
      controller.abort(new TestfleetError('CANCELLED', `ended by ${name}`))
    }
    process.on(name, listener)
    return [name, listener] as const
  })
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    stop() {
      for (const [name, listener] of listeners) process.off(name, listener)
    },
  }
}
