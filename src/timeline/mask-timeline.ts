import type { CallTimeline, Row, Span } from './timeline-model.ts'

/** Replaces secrets in everything that people read. Ids are not written to the file. */
export function maskTimeline(timeline: CallTimeline, mask: (text: string) => string): CallTimeline {
  const { session, message, summary, rows, path, warnings } = timeline
  return {
    ...timeline,
    session: session === undefined ? undefined : mask(session),
    message: message === undefined ? undefined : mask(message),
    summary: mask(summary),
    rows: rows.map((row) => maskRow(row, mask)),
    path: path.map((part) => ({
      ...part,
      title: mask(part.title),
      detail: part.detail === undefined ? undefined : mask(part.detail),
    })),
    warnings: warnings.map(mask),
  }
}

function maskRow(row: Row, mask: (text: string) => string): Row {
  const { name, state, spans, checks } = row
  const maskSpan = (span: Span): Span => ({
    ...span,
    title: mask(span.title),
    notes: span.notes.map(mask),
    parts: span.parts.map((part) => ({ ...part, title: mask(part.title) })),
  })
  return {
    ...row,
    name: mask(name),
    state: mask(state),
    spans: spans.map(maskSpan),
    checks: checks.map((check) => ({
      ...check,
      name: mask(check.name),
      tries: check.tries.map((one) => ({ ...one, answer: mask(one.answer) })),
    })),
  }
}
