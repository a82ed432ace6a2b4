import type { Documented, Member, PublicName } from './read-declaration.ts'

/** The section of a public name. */
export function renderName(one: PublicName, others: readonly PublicName[]): string {
  const { name, kind, members } = one
  const title = kind === 'class' ? `class ${name}` : `${name}${kind === 'function' ? '()' : ''}`
  // The keys of the fleet file have a page of their own.
  const isFleetFile = /^(?:FleetFile|ServerDeclaration)$/.test(name)
  const parts = [
    `### ${title}`,
    ...(kind === 'interface' ? [] : [renderCode(signaturesOf(one, others))]),
    ...renderDoc(one),
    ...(isFleetFile ? ['Its keys: [the fleet file](fleet-file.md).'] : [renderProperties(members), renderBases(one)]),
    ...methodsOf(members).map((method) => renderMethod(method, members, name)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** Forms of an overloaded function are written together. */
function signaturesOf({ name }: Documented, others: readonly Documented[]): string[] {
  return others.filter((other) => other.name === name).map(({ signature }) => signature)
}

function methodsOf(members: readonly Member[]): readonly Member[] {
  const methods = members.filter(({ kind, name }) => kind === 'method' && name !== '[Symbol.asyncDispose]')
  return methods.filter(({ name }, index) => methods.findIndex((other) => other.name === name) === index)
}

function renderMethod(method: Member, members: readonly Member[], owner: string): string {
  const title = method.name === 'constructor' ? `new ${owner}()` : `${owner}.${method.name}()`
  const isConstructor = method.name === 'constructor'
  const signatures = signaturesOf(method, members).map((text) =>
    isConstructor ? text.replace(/^constructor/, `new ${owner}`) : text,
  )
  return [`#### ${title}`, renderCode(signatures), ...renderDoc(method)].join('\n\n')
}

function renderBases({ bases }: PublicName): string {
  if (bases.length === 0) return ''
  const links = bases.map((base) => {
    const [, name = base] = /^(?:Pick|Omit)<(\w+)/.exec(base) ?? /^(\w+)/.exec(base) ?? []
    return `[${code(base.replaceAll('"', "'"))}](#${name.toLowerCase()})`
  })
  return `It also has everything of ${links.join(', ')}.`
}

function renderDoc({ text, params, throws, examples }: Documented): string[] {
  const list = params.map(([name, words]) => `- ${code(name)}: ${oneLine(words)}`).join('\n')
  return [text, list, throws === '' ? '' : `Fails with ${wordThrows(throws)}`, ...examples.map(renderExample)].filter(
    (part) => part !== '',
  )
}

function renderProperties(members: readonly Member[]): string {
  const rows = members
    .filter(({ kind }) => kind === 'property')
    .map(({ name, type, signature, isOptional, text, throws }) => {
      const words = [text, throws === '' ? '' : `Fails with ${wordThrows(throws)}`].join(' ').trim()
      const shown =
        type === '' ? (/= (.*?);?$/.exec(signature)?.[1] ?? '') : type.replace(/ \| undefined$/, isOptional ? '' : '$&')
      return `| ${code(name)}${isOptional ? ' (optional)' : ''} | ${cell(code(oneLine(shown)))} | ${cell(oneLine(words))} |`
    })
  return rows.length === 0 ? '' : `| name | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`
}

function renderExample(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``
}

function renderCode(signatures: readonly string[]): string {
  return `\`\`\`ts\n${signatures.map((text) => breakLine(text.replace(/;$/, '').replaceAll('\t', '  '))).join('\n')}\n\`\`\``
}

const WIDTH = 110

/** Writes the parameters of a long signature on lines of their own. */
function breakLine(text: string): string {
  if (text.length <= WIDTH || text.includes('\n')) return text
  const open = text.indexOf('(')
  const close = findClose(text, open)
  if (open < 0 || close < 0) return text
  const params = splitParameters(text.slice(open + 1, close))
  return `${text.slice(0, open)}(\n${params.map((param) => `  ${param},\n`).join('')}${text.slice(close)}`
}

function findClose(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length && at >= 0; at++) {
    if ('([{'.includes(text[at] ?? '')) depth++
    else if (')]}'.includes(text[at] ?? '') && --depth === 0) return at
  }
  return -1
}

function splitParameters(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const [at, character] of [...text].entries()) {
    if ('([{<'.includes(character)) depth++
    else if (')]}'.includes(character) || (character === '>' && text[at - 1] !== '=')) depth--
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  return [...parts, text.slice(from).trim()].filter((part) => part !== '')
}

function wordThrows(text: string): string {
  return endSentence(markCodes(text))
    .replace(/^(?:Any|The)\b/, (word) => word.toLowerCase())
    .replaceAll('docs/failures.md', '[failures](failures.md)')
}

function markCodes(text: string): string {
  return text.replaceAll(/(?<![`\w])([A-Z]+(?:_[A-Z]+)+|USAGE|CANCELLED)(?![`\w])/g, '`$1`')
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

function code(text: string): string {
  return `\`${text}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
