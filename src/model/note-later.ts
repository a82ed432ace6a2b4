import type { OnEvent } from './events.ts'

/** A person who sees nothing for longer believes that the call hangs. */
const SILENCE_MS = 1000

/** Says what a call waits for if `work` takes longer than a moment. */
export async function noteLater<Result>(
  message: string,
  onEvent: OnEvent,
  work: Promise<Result>,
  silenceMs = SILENCE_MS,
): Promise<Result> {
  const clock = setTimeout(() => onEvent({ kind: 'noted', message }), silenceMs)
  try {
    return await work
  } finally {
    clearTimeout(clock)
  }
}
