import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

// Loaded before the command, with `--import`. At its end, it adds a line to the file WAITED: for how many milliseconds the
// command has waited for its own timers, one after the other. A busy machine adds nothing to them.
let nowMs = 0

/** What is to be called when a timer that begins now has run out. */
const begin = (delayMs = 0) => {
  const endMs = nowMs + delayMs
  return () => {
    nowMs = Math.max(nowMs, endMs)
  }
}

const { setTimeout: plain } = globalThis
globalThis.setTimeout = Object.assign((callback, delayMs, ...values) => {
  const end = begin(delayMs)
  return plain(() => {
    end()
    callback(...values)
  }, delayMs)
}, plain)

const { setTimeout: awaited } = timers
timers.setTimeout = async (delayMs, ...rest) => {
  const end = begin(delayMs)
  const value = await awaited(delayMs, ...rest)
  end()
  return value
}
syncBuiltinESMExports()

const { timeout } = AbortSignal
AbortSignal.timeout = (delayMs) => {
  const signal = timeout.call(AbortSignal, delayMs)
  signal.addEventListener('abort', begin(delayMs))
  return signal
}

process.on('exit', () => appendFileSync(process.env.WAITED, `${nowMs}\n`))
