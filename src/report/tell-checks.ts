import type { OnEvent } from '../model/events.ts'

/** Reports each try of a server's ready checks, with how long it took. */
export function tellChecks(server: string, onEvent: OnEvent) {
  const time = (tookMs: number | undefined) => (tookMs === undefined ? {} : { tookMs })
  return {
    onAnswer: (check: string, answer: string | undefined, tookMs?: number): void =>
      onEvent({ kind: 'waiting', server, check, answer, ...time(tookMs) }),
    onHold: (check: string, tookMs?: number): void => onEvent({ kind: 'holds', server, check, ...time(tookMs) }),
  }
}
