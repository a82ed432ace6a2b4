export interface Instruction {
  /** The line that it starts in; counts from 1. */
  readonly line: number
  /** In upper case. */
  readonly keyword: string
  /** Its arguments: continued lines as one line, then the lines of its heredocs. */
  readonly rest: string
}

/**
 * Returns the instructions of a Dockerfile as BuildKit's parser reads them: with the escape character that the file asks
 * for, without comments, and with heredocs as part of their instruction.
 */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r+$/, ''))
  const continuation = findEscape(lines) === '`' ? /(?<!`)`[ \t]*$/ : /(?<!\\)\\[ \t]*$/
  const found: Instruction[] = []
  for (let next = 0; next < lines.length; ) {
    const line = next + 1
    let part = lines[next++] ?? ''
    if (isSkipped(part)) continue
    let whole = ''
    for (; continuation.test(part); part = lines[next++] ?? '') {
      whole += part.replace(continuation, '')
      // A comment or an empty line between continued lines does not end them.
      while (isSkipped(lines[next])) next++
    }
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(whole + part) ?? []
    if (keyword === '') continue
    const heredocs = readHeredocs(keyword, rest, lines, next)
    next += heredocs.length
    found.push({ line, keyword: keyword.toUpperCase(), rest: [rest.trim(), ...heredocs].join('\n') })
  }
  return found
}

/** The escape character of a directive such as `# escape=\``: directives are the first lines, up to one that is none. */
function findEscape(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const [, name, value] = /^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=(.*)$/.exec(line) ?? []
    if (name === undefined) return undefined
    if (name.toLowerCase() === 'escape') return value?.trim()
  }
  return undefined
}

function isSkipped(line: string | undefined): boolean {
  return line !== undefined && /^\s*(?:#|$)/.test(line)
}

/** The lines of an instruction's heredocs, their ends included. One without an end goes on to the end of the file. */
function readHeredocs(keyword: string, rest: string, lines: readonly string[], start: number): readonly string[] {
  if (!/^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i.test(`${keyword} ${rest}`)) return []
  let next = start
  for (const word of splitWords(rest)) {
    const [, dash, name] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? []
    if (name === undefined) continue
    const end = unquote(name)
    while (next < lines.length) {
      const line = lines[next++] ?? ''
      if ((dash === '' ? line : line.replace(/^\t+/, '')) === end) break
    }
  }
  return lines.slice(start, next)
}

/** Words as a shell splits them, their quotes and backslashes left in place. */
function splitWords(text: string): readonly string[] {
  return text.match(/(?:[^\s"'\\]+|\\.?|"(?:[^"\\]+|\\.?)*(?:"|$)|'[^']*(?:'|$))+/gs) ?? []
}

function unquote(word: string): string {
  return word.replaceAll(
    /\\(.)|"((?:[^"\\]+|\\.?)*)"?|'([^']*)'?/gs,
    (_, escaped?: string, double?: string, single?: string) =>
      escaped ?? single ?? double?.replaceAll(/\\(["$\\])/g, '$1') ?? '',
  )
}

/** The values that ENV, ARG or LABEL gives: `NAME=value`, `NAME="a value"`, and the old `NAME a value`. */
export function splitAssignments({ keyword, rest }: Instruction): [name: string, value: string][] {
  const words = splitWords(rest)
  const [, name, value] = /^([^\s=]+)\s+(.+)$/s.exec(rest) ?? []
  if (keyword !== 'ARG' && name !== undefined && value !== undefined) return [[name, value]]
  return words.flatMap((word): [string, string][] => {
    const equals = word.indexOf('=')
    return equals < 1 ? [] : [[unquote(word.slice(0, equals)), unquote(word.slice(equals + 1))]]
  })
}

interface Stage {
  readonly line: number
  /** What it starts from: an image, an earlier stage, or a text with variables. */
  readonly from: string
  /** In lower case, as names of stages are compared. */
  readonly name: string | undefined
  readonly instructions: Instruction[]
}

/** The build stages: each a FROM, and the instructions up to the next one. */
function splitStages(instructions: readonly Instruction[]): Stage[] {
  const stages: Stage[] = []
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') {
      const [from = '', as, name] = instruction.rest.split(/\s+/).filter((word) => !word.startsWith('--'))
      const isNamed = as?.toLowerCase() === 'as'
      stages.push({ line: instruction.line, from, name: isNamed ? name?.toLowerCase() : undefined, instructions: [] })
    } else stages.at(-1)?.instructions.push(instruction)
  }
  return stages
}

/** The images that the stages start from. One whose name has a variable is left out: only the build knows its value. */
export function listBaseImages(
  instructions: readonly Instruction[],
): readonly { readonly line: number; readonly reference: string }[] {
  const known = new Set(['scratch'])
  return splitStages(instructions).flatMap(({ line, from, name }) => {
    const isImage = from !== '' && !from.includes('$') && !known.has(from.toLowerCase())
    if (name !== undefined) known.add(name)
    return isImage ? [{ line, reference: from }] : []
  })
}

/** The instructions that make the image: those of the last stage, or of `target`, after those of the stages below it. */
export function listFinalInstructions(instructions: readonly Instruction[], target: string | undefined): Instruction[] {
  const stages = splitStages(instructions)
  const wanted = target?.toLowerCase()
  let current = stages.find(({ name }) => name !== undefined && name === wanted) ?? stages.at(-1)
  const found: Instruction[] = []
  while (current !== undefined) {
    found.unshift(...current.instructions)
    const from = current.from.toLowerCase()
    // A stage starts from earlier ones alone, so this ends.
    current = stages.slice(0, stages.indexOf(current)).findLast(({ name }) => name === from)
  }
  return found
}
