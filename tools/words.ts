import { glob, readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { root } from './run.ts'
import { findWords } from './words/find-words.ts'

/**
 * Finds words that readers stumble over (`words/rules.ts`), in pages, comments, messages and titles of tests.
 *
 *     node tools/words.ts [--strict] [PATH…]
 *
 * Without a path, it reads the whole repository. With `--strict`, it also finds docstrings that hide their subject. It prints
 * `file:line:column`, the words, and what to write, and ends with 1 if it found any.
 */
const everything = [
  '*.{md,ts}',
  'docs/*.md',
  '{src,tests,tools,bench,examples,clients,integrations}/**/*.{ts,md,yaml,yml}',
  '.dependency-cruiser.mjs',
]
/** Generated from texts that are checked themselves, or lists of the words. */
const spared = /^(?:docs\/(?:catalogue|api|reference[\w-]*)\.md|tools\/words\/.*|tests\/corpus\/.*)$/

const isStrict = process.argv.includes('--strict')
const paths = process.argv
  .slice(2)
  .filter((word) => word !== '--strict')
  .map((path) => relative(root, resolve(path)))
const patterns = paths.length === 0 ? everything : paths.flatMap((path) => [path, `${path}/**/*.{ts,md,yaml,yml}`])
const files = new Set<string>()
for await (const file of glob(patterns, { cwd: root, exclude: (name) => name === 'node_modules' })) {
  if (/\.(?:ts|mjs|md|ya?ml)$/.test(file) && !spared.test(file)) files.add(file)
}

let count = 0
for (const file of [...files].toSorted()) {
  for (const { line, column, found, write } of findWords(file, await readFile(resolve(root, file), 'utf8'), isStrict)) {
    count++
    process.stdout.write(`${file}:${line}:${column}: ${found} (write: ${write})\n`)
  }
}
process.stdout.write(count === 0 ? '' : `${count} found.\n`)
process.exitCode = count === 0 ? 0 : 1
