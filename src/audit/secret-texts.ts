import type { FieldPath } from '../model/fleet.ts'
import {
  findFedPassword,
  findPasswordInUrl,
  findSecretAssignments,
  findSecretOption,
  findSecretShape,
  hasPrivateKey,
  isLiteral,
  isSecretName,
  looksRandom,
} from './secrets.ts'

export interface MaskedFile {
  readonly value: unknown
  /** The texts that were replaced. */
  readonly secrets: ReadonlySet<string>
}

const MASKED = '***'

/**
 * Replaces the texts of a fleet file that are secrets in plain text, by the signs that `check` goes by, and the values in
 * `secrets`. References to secrets, such as `{ env: NAME }`, stay.
 */
export function maskSecretTexts(file: unknown): MaskedFile {
  const secrets = new Set<string>()
  const replace = (text: string, found: readonly string[]): string =>
    found.reduce((rest, secret) => {
      secrets.add(secret)
      return rest.replaceAll(secret, MASKED)
    }, text)
  const mask = (value: unknown, path: FieldPath, before: unknown): unknown => {
    if (typeof value === 'string') return replace(value, findInText(value, path, before))
    if (typeof value === 'number') {
      const text = mask(String(value), path, before)
      return text === String(value) ? value : text
    }
    if (Array.isArray(value)) return value.map((item, index) => mask(item, [...path, index], value[index - 1]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item, [...path, key], undefined)]))
  }
  return { value: mask(file, [], undefined), secrets }
}

/** The secrets in the text at `path`; `before` is what precedes it in a list. */
function findInText(text: string, path: FieldPath, before: unknown): string[] {
  const name = String(path.at(-1))
  if (path.at(-3) === 'secrets' && name === 'value') return [text]
  if (findSecretShape(text) !== undefined || hasPrivateKey(text)) return [text]
  // `{ secret: NAME }` and `{ env: NAME }` say where the value is.
  if (name === 'secret' || name === 'env') return []
  if (isLiteral(text) && isSecretPlace(text, name, path.at(-2))) return [text]
  const { value } = findSecretOption(text, '') ?? {}
  const given = typeof before === 'string' && !before.includes('=') ? findSecretOption(before, text)?.value : undefined
  const assigned = findSecretAssignments(text).map((one) => one.value)
  return [findPasswordInUrl(text), findFedPassword(text), value, given, ...assigned].filter(
    (found) => found !== undefined,
  )
}

function isSecretPlace(text: string, name: string, block: string | number | undefined): boolean {
  const isVariable = block === 'environment' || block === 'execEnvironment' || block === 'args'
  return isSecretName(name) || (isVariable && looksRandom(text))
}
