/** Placeholder for masked code; no pattern of a rule matches across it. */
const CODE = '¦'
/** Placeholder for code that is quoted in a sentence. */
const QUOTED = '`'

const FENCE = /^ *(```|~~~)[\s\S]*?^ *\1[^\n]*$/gm
const INLINE_CODE = /\\?`[^`\n]*(?:\n[^`\n]*)?`/g
const LINK_TARGET = /(?<=\])\([^)\n]*\)/g
const SUBSTITUTION = /\$\{(?:[^{}]|\{[^{}]*\})*\}/g
/**
 * A comment, string, template or regular expression of TypeScript. The last three are distinguished by their first
 * character.
 */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=(?:^|[(,=:[!&|?{};\n]|=>|return) *)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/gm

/**
 * Returns the sentences of a file, with everything else masked. Lines keep their length, so a position in the result is
 * a position in the file.
 */
export function proseOf(path: string, text: string): string {
  if (path.endsWith('.md')) return maskAll(maskInlineCode(maskAll(text, FENCE)), LINK_TARGET)
  if (/\.(?:[cm]?[jt]s)$/.test(path)) return proseOfScript(text)
  return maskInlineCode(text)
}

function proseOfScript(text: string): string {
  let prose = ''
  let at = 0
  for (const match of text.matchAll(TOKEN)) {
    prose += mask(text.slice(at, match.index)) + proseOfToken(match[0])
    at = match.index + match[0].length
  }
  return prose + mask(text.slice(at))
}

function proseOfToken(token: string): string {
  if (token.startsWith('//')) return `  ${maskInlineCode(token.slice(2))}`
  if (token.startsWith('/*')) return proseOfComment(token)
  const quote = token.charAt(0)
  if (quote === '/') return mask(token)
  // An escape such as `\n` separates words as a blank does.
  const words = maskInlineCode(token.slice(1, -1)).replace(/\\[nrt]/g, '  ')
  return CODE + maskAll(words, SUBSTITUTION, QUOTED) + CODE
}

/** Masks the `*` at the start of each line, which would otherwise separate the words of a phrase. */
function proseOfComment(token: string): string {
  const open = token.startsWith('/**') ? '   ' : '  '
  const inside = token.slice(open.length, token.endsWith('*/') ? -2 : undefined)
  const unstarred = inside.replace(/^( *)\*/gm, '$1 ')
  return `${open}${maskInlineCode(unstarred)}  `.slice(0, token.length)
}

function maskInlineCode(text: string): string {
  return maskAll(text, INLINE_CODE, QUOTED)
}

function maskAll(text: string, pattern: RegExp, sign = CODE): string {
  return text.replace(pattern, (found) => mask(found, sign))
}

/** Keeps blanks: lines of comments are indented, and a phrase can begin on one line and end on the next. */
function mask(text: string, sign = CODE): string {
  return text.replace(/[^\s]/g, sign)
}
