/**
 * The rules of a .dockerignore file: one pattern a line, `#` comments, `!` takes back, the last match decides;
 * `*` and `?` stop at a slash, `**` does not; a pattern that matches a folder matches all that is in it.
 * (Docker's reference of the Dockerfile, ".dockerignore file".)
 */
export function compileIgnoreFile(text: string): (path: string) => boolean {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isException = line.startsWith('!')
      return { isException, pattern: readPattern(isException ? line.slice(1) : line) }
    })
    .filter(({ pattern }) => pattern.length > 0)
  return (path) => {
    const names = path.split('/').map((name) => [...name])
    let isIgnored = false
    for (const { isException, pattern } of rules) {
      if (isException === isIgnored && matchesPath(pattern, names)) isIgnored = !isIgnored
    }
    return isIgnored
  }
}

/** In a pattern: any number of names, or of characters of one name. */
const many = Symbol('many')
const anyCharacter = Symbol('any character')

type NamePattern = readonly (string | typeof anyCharacter | typeof many)[]
type PathPattern = readonly (NamePattern | typeof many)[]

function readPattern(text: string): PathPattern {
  const parts = text
    .trim()
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  // At its end, `**` is what is in a folder, and not the folder: any name, with all that is in it.
  return parts.map((part, index) => (part !== '**' ? readName(part) : index < parts.length - 1 ? many : [many]))
}

function readName(part: string): NamePattern {
  return [...part.matchAll(/\\(.)|\*+|./gsu)].map(([found, escaped]) => {
    if (escaped !== undefined) return escaped
    if (found.startsWith('*')) return many
    return found === '?' ? anyCharacter : found
  })
}

/** Whether the pattern matches the path, or a folder that it is in. */
function matchesPath(pattern: PathPattern, names: readonly (readonly string[])[]): boolean {
  return matches(pattern, names, matchesName, { isWhole: false })
}

function matchesName(pattern: NamePattern, name: readonly string[]): boolean {
  return matches(pattern, name, (one, character) => one === anyCharacter || one === character, { isWhole: true })
}

/**
 * Whether the pattern matches the items, or the first of them. Only the last `many` is ever tried again, as what stands
 * in front of it had better match early: the time is at most that of each part with each item. As a regular expression,
 * a pattern with many stars takes for ever.
 */
function matches<Part, Item>(
  pattern: readonly (Part | typeof many)[],
  items: readonly Item[],
  matchesOne: (part: Part, item: Item) => boolean,
  { isWhole }: { readonly isWhole: boolean },
): boolean {
  let part = 0
  let item = 0
  let retry: { readonly part: number; item: number } | undefined
  while (part < pattern.length || (isWhole && item < items.length)) {
    const wanted = pattern[part]
    if (wanted === many) {
      retry = { part: ++part, item }
    } else if (wanted !== undefined && item < items.length && matchesOne(wanted, items[item] as Item)) {
      part++
      item++
    } else if (retry === undefined || retry.item >= items.length) {
      return false
    } else {
      part = retry.part
      item = ++retry.item
    }
  }
  return true
}
