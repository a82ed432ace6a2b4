import type { Mistake } from '../model/failures.ts'

export function sortByPosition(mistakes: readonly Mistake[]): Mistake[] {
  return [...mistakes].sort((a, b) => (a.at.line ?? 0) - (b.at.line ?? 0) || (a.at.column ?? 0) - (b.at.column ?? 0))
}
