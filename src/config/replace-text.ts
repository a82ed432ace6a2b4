import type { TextSpan } from './document.ts'

export interface Replacement {
  readonly span: TextSpan
  /** Inserted between the quotation marks, if there are any; contains nothing special to YAML or JSON. */
  readonly text: string
}

/** Returns the text with these ranges replaced, and nothing else changed. A duplicated range is replaced once. */
export function replaceText(text: string, replacements: readonly Replacement[]): string {
  const bySpan = new Map(replacements.map((replacement) => [replacement.span.from, replacement]))
  // From the end to the start, so that no replacement moves a later one.
  const fromEnd = [...bySpan.values()].sort((one, other) => other.span.from - one.span.from)
  return fromEnd.reduce(
    (before, { span, text: inserted }) =>
      before.slice(0, span.from) + span.quote + inserted + span.quote + before.slice(span.to),
    text,
  )
}
