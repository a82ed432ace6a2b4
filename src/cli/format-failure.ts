import { stripControls } from '../formats/strip-controls.ts'
import { formatPosition, type TestfleetError } from '../model/failures.ts'
import type { Palette } from './palette.ts'

/** With more mistakes, the file is no fleet file at all. */
const MOST_MISTAKES = 100

/** Says what happened, where, and what to do next. */
export function formatFailure(failure: TestfleetError, palette: Palette): string {
  const lines = failure.mistakes.length > 0 ? formatMistakes(failure, palette) : formatOne(failure, palette)
  if (failure.hint !== undefined) lines.push(`${palette.style('cyan', 'hint:')} ${stripControls(failure.hint)}`)
  lines.push(...formatBundle({ folder: failure.bundle, archive: failure.archive, problem: failure.bundleProblem }))
  if (failure.leftovers !== undefined)
    lines.push(`${palette.style('red', 'left behind:')} ${stripControls(failure.leftovers)}`)
  return `${lines.join('\n')}\n`
}

function formatMistakes(failure: TestfleetError, palette: Palette): string[] {
  const count = failure.mistakes.length
  const heading = `${palette.style('red', 'error:')} the fleet file has ${count === 1 ? 'a mistake' : `${count} mistakes`}; nothing was touched`
  const lines = failure.message.split('\n').map((line) => `  ${line}`)
  const more = lines.length > MOST_MISTAKES ? [`  … and ${lines.length - MOST_MISTAKES} more`] : []
  return [heading, ...lines.slice(0, MOST_MISTAKES), ...more]
}

function formatOne(failure: TestfleetError, palette: Palette): string[] {
  const message = stripControls(failure.message)
  const lines = [failure.code === 'CANCELLED' ? message : `${palette.style('red', 'error:')} ${message}`]
  if (failure.at !== undefined) lines.push(`  asked for at ${formatPosition(failure.at)}`)
  for (const line of failure.output) lines.push(palette.style('dim', `  | ${stripControls(line)}`))
  return lines
}

/** `{ "error": … }`, as printed to stdout with --json. */
export function toJsonFailure(failure: TestfleetError): object {
  return {
    error: {
      code: failure.code,
      message: failure.message,
      server: failure.server,
      hint: failure.hint,
      file: failure.at?.file,
      line: failure.at?.line,
      column: failure.at?.column,
      output: failure.output.length === 0 ? undefined : failure.output,
      bundle: failure.bundle,
      archive: failure.archive,
      bundleProblem: failure.bundleProblem,
      leftovers: failure.leftovers,
      mistakes:
        failure.mistakes.length > 0
          ? failure.mistakes.map(({ at, field, message }) => ({ ...at, field, message }))
          : undefined,
    },
  }
}

/** Says where the failure bundle is, or why there is none. */
export function formatBundle(bundle: {
  readonly folder: string | undefined
  readonly archive: string | undefined
  readonly problem: string | undefined
}): string[] {
  const { folder, archive, problem } = bundle
  const what = folder === undefined ? 'there is no failure bundle' : 'the failure bundle is not complete'
  return [
    ...(problem === undefined ? [] : [`${what}: ${stripControls(problem)}`]),
    ...(archive === undefined ? [] : [`failure bundle as one file: ${archive}`]),
    ...(folder === undefined ? [] : [`failure bundle, summary.txt first: ${folder}`]),
  ]
}
