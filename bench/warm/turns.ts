/** Returns the ways in the order in which a round measures them: each round begins with the next one. Rounds count from 1. */
export function orderOf<Way>(ways: readonly Way[], round: number): readonly Way[] {
  const first = (round - 1) % ways.length
  return [...ways.slice(first), ...ways.slice(0, first)]
}
