import type { TextSpan } from './document.ts'

export interface Replacement {
  readonly span: TextSpan
  /** Goes between the quotation marks, where there are any; has nothing in it that YAML or JSON gives a meaning to. */
  readonly text: string
}

/** The text with these stretches replaced, and nothing else changed. A stretch that is named twice is replaced once. */
export function replaceText(text: string, replacements: readonly Replacement[]): string {
  const bySpan = new Map(replacements.map((replacement) => [replacement.span.from, replacement]))
  // From the end on, so that what is replaced moves nothing that is still to be.
  const fromEnd = [...bySpan.values()].sort((one, other) => other.span.from - one.span.from)
  return fromEnd.reduce(
    (before, { span, text: inserted }) =>
      before.slice(0, span.from) + span.quote + inserted + span.quote + before.slice(span.to),
    text,
  )
}
