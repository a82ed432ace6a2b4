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
      return { isException, pattern: compilePattern(isException ? line.slice(1).trim() : line) }
    })
  return (path) => {
    let isIgnored = false
    for (const rule of rules) if (rule.isException === isIgnored && rule.pattern.test(path)) isIgnored = !isIgnored
    return isIgnored
  }
}

function compilePattern(pattern: string): RegExp {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.')
  const source = parts
    .map((part, index) => {
      const isLast = index === parts.length - 1
      if (part === '**') return isLast ? '.*' : '(?:[^/]+/)*'
      return compilePart(part) + (isLast ? '' : '/')
    })
    .join('')
  return new RegExp(`^${source}(?:/.*)?$`, 's')
}

function compilePart(part: string): string {
  let source = ''
  for (let index = 0; index < part.length; index++) {
    const character = part.charAt(index)
    if (character === '*') source += '[^/]*'
    else if (character === '?') source += '[^/]'
    else if (character === '\\' && index + 1 < part.length) source += escapeRegExp(part.charAt(++index))
    else source += escapeRegExp(character)
  }
  return source
}

function escapeRegExp(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}
