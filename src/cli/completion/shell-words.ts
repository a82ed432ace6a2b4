import type { Completed } from './complete.ts'

/** bash splits `--file=x` into three words, and does not remove quotes. */
export function joinBrokenWords(words: readonly string[]): string[] {
  const isAssigned = (word: string, at: number): boolean => word === '=' && words[at - 1]?.startsWith('--') === true
  return words.filter((word, at) => !isAssigned(word, at)).map(removeQuotes)
}

function removeQuotes(word: string): string {
  return word.replaceAll(
    /\\(.)|"((?:[^"\\]|\\.)*)"?|'([^']*)'?/gsu,
    (_, escaped, double, single) => escaped ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? single ?? '',
  )
}

/** Writes the kind, then a line for each candidate: the word, a tab, the help. Omits words that are not plain. */
export function formatCompleted(completed: Completed): string {
  if (completed.kind !== 'words') return `${completed.kind}\n`
  const lines = completed.candidates
    .filter(({ word }) => /^[\w@%+=:,./-]+$/.test(word))
    .map(({ word, help }) => (help === '' ? word : `${word}\t${help}`))
  return ['words', ...lines, ''].join('\n')
}
