import type { SeenServer } from '../model/run-note.ts'

/** Log lines of one cause. The note has more. */
const LINES_SHOWN = 10

/** Says what a server was like, as far as that shows what was wrong with it. */
export function wordEvidence({ state, exitCode, endedAtMs, restarts, answers, log }: SeenServer): string[] {
  const when = endedAtMs === undefined || endedAtMs === 0 ? '' : ` at ${new Date(endedAtMs).toISOString()}`
  return [
    ...(state === 'exited' ? [`it ended${when} with exit code ${exitCode ?? 'unknown'}`] : []),
    ...(restarts > 0 ? [`the engine has restarted it ${restarts === 1 ? 'once' : `${restarts} times`}`] : []),
    ...Object.entries(answers).map(([check, answer]) => `last answer of its ready check ${check}: ${answer}`),
    ...wordLog(log),
  ]
}

export function wordLog(lines: readonly string[]): string[] {
  return lines.slice(-LINES_SHOWN).map((line) => `log: ${line}`)
}
