import { stripControls } from '../formats/strip-controls.ts'
import type { Cause, WhyReport } from './cause.ts'
import { formatPosition } from './failures.ts'

/** Formats what was wrong, for people: a sentence for each cause, with its evidence. */
export function formatWhy({ session, fleet, endedAt, causes }: WhyReport): string {
  const when = endedAt === undefined ? 'still runs' : `ended at ${endedAt}`
  const found = causes.length === 0 ? ['nothing was wrong with the servers'] : causes.flatMap(formatCause)
  return `${[...found, `session ${session} of ${fleet}, which ${when}`].map(stripControls).join('\n')}\n`
}

function formatCause({ sentence, evidence, hint, file, line, column }: Cause): string[] {
  const at = file === undefined ? undefined : { file, ...(line !== undefined && { line, column: column ?? 1 }) }
  return [
    sentence,
    ...(at === undefined ? [] : [`  at ${formatPosition(at)}`]),
    ...evidence.map((one) => `  ${one.startsWith('log: ') ? `| ${one.slice(5)}` : one}`),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
  ]
}
