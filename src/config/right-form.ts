import type { FieldPath } from '../model/fleet.ts'

/** Finds the paths of all mistakes in a value of the same kind as the fleet file. */
type ListMistakes = (value: unknown) => readonly FieldPath[]

/** Longer ones are hard to read in a message. */
const MOST_CHARACTERS = 120

/** Keys whose value is one command, and keys with a list of commands. */
const ofCommand = new Set(['command', 'entrypoint', 'exec', 'console', 'process'])
const ofCommands = new Set(['bake', 'run', 'preStart', 'postStart', 'preStop', 'reset'])

/**
 * Returns how a value of the wrong shape would be written, such as `[db]` for the text `db` where a list is wanted; undefined
 * when no shape fits. `whole` is the document, in which a form is tried at `path`.
 */
export function findForm(whole: unknown, path: FieldPath, list: ListMistakes, isYaml: boolean): string | undefined {
  const isPartOf = (other: FieldPath): boolean => path.every((key, index) => other[index] === key)
  const nested = nestCommand(whole, path)
  const forms = nested === undefined ? listForms(valueAt(whole, path), path) : [nested]
  for (const form of forms) {
    if (list(withValue(prune(whole, path), path, form)).some(isPartOf)) continue
    const text = isYaml ? writeFlow(form) : JSON.stringify(form)
    return text.length <= MOST_CHARACTERS && !/[\p{Cc}\p{Cf}]/u.test(text) ? text : undefined
  }
  return undefined
}

/**
 * Returns the list of commands that the list of words at `path` was meant to be: `[[psql, -c, x]]` for `[psql, -c, x]`.
 * Undefined for anything else.
 */
export function nestCommand(whole: unknown, path: FieldPath): readonly (readonly string[])[] | undefined {
  const value = valueAt(whole, path)
  if (!ofCommands.has(String(path.at(-1))) || !Array.isArray(value)) return undefined
  if (!value.every((word) => typeof word === 'string')) return undefined
  const [first] = value
  if (first === undefined) return undefined
  return /\s/.test(first) ? value.map(splitCommand) : [value]
}

/** The likely forms of a value, the likeliest first. */
function listForms(value: unknown, path: FieldPath): readonly unknown[] {
  if (typeof value === 'string') return listFormsOfText(value, path)
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value), [value], [String(value)]]
  if (Array.isArray(value)) return [...readAssignments(value), ...(value.length === 1 ? value : [])]
  const key = String(path.at(-1))
  if (typeof value !== 'object' || value === null || ofCommand.has(key) || ofCommands.has(key)) return []
  const entries = Object.entries(value).map(([key, one]) => ({ [key]: one }))
  return [[value], entries, Object.keys(value)]
}

function listFormsOfText(text: string, path: FieldPath): readonly unknown[] {
  const forms: unknown[] = []
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(number)) forms.push(number)
  if (/^(?:true|yes|on)$/i.test(text)) forms.push(true)
  if (/^(?:false|no|off)$/i.test(text)) forms.push(false)
  const key = path.at(-1)
  if (ofCommand.has(String(key)) || typeof key === 'number') forms.push(splitCommand(text))
  if (ofCommands.has(String(key))) forms.push([splitCommand(text)])
  const parts = text.split(/[,\s]+/).filter((part) => part !== '')
  forms.push([text], parts, parts.map(Number))
  const [, host, container] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined) forms.push([{ container: Number(container), host: Number(host) }])
  return [...forms, ...readAssignments([text])]
}

/** `A=1` of a list, as Compose writes variables and labels. */
function readAssignments(items: readonly unknown[]): readonly object[] {
  const pairs = items.map((item) => (typeof item === 'string' ? /^([^=]+)=(.*)$/s.exec(item) : null))
  if (pairs.length === 0 || pairs.includes(null)) return []
  return [Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]))]
}

const WORD = /\s*((?:"[^"\\$`]*"|'[^']*'|[^\s"'\\$`|&;<>()*?~#])+)\s*/y

/** Splits at spaces outside of quotes. A line with more than that is one for a shell. */
function splitCommand(line: string): readonly string[] {
  const words: string[] = []
  WORD.lastIndex = 0
  while (WORD.lastIndex < line.length) {
    const word = WORD.exec(line)?.[1]
    if (word === undefined) return ['sh', '-c', line]
    words.push(word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'))
  }
  return words
}

/** Writes a value on one line of YAML. */
function writeFlow(value: unknown): string {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(writeFlow).join(', ')}]`
  const fields = Object.entries(value).map(([key, one]) => `${writeFlow(key)}: ${writeFlow(one)}`)
  return `{ ${fields.join(', ')} }`
}

/** Whether YAML reads it as the same text without quotes. */
function isPlain(text: string): boolean {
  return (
    /^(?:-{0,2}[A-Za-z/_.])[\w./=@+-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|\.inf|\.nan)$/i.test(text)
  )
}

function valueAt(whole: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], whole)
}

/** Keeps one server only, so that a form is tried in no time. */
function prune(whole: unknown, [first, second, ...rest]: FieldPath): unknown {
  if (first === undefined || second === undefined || rest.length === 0) return whole
  return { [first]: { [second]: valueAt(whole, [first, second]) } }
}

function withValue(whole: unknown, [key, ...rest]: FieldPath, value: unknown): unknown {
  if (key === undefined) return value
  const changed = withValue((whole as Record<string, unknown>)[key], rest, value)
  if (Array.isArray(whole)) return whole.with(Number(key), changed)
  return { ...(whole as object), [key]: changed }
}
