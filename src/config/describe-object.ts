import type { FieldPath, Position } from '../model/fleet.ts'
import { type FleetDocument, formatFieldPath, wholeFileError } from './document.ts'

/** Describes a fleet given as an object: its fields have names but no lines. */
export function describeObject(value: unknown, file: string): FleetDocument {
  const at = (_: FieldPath): Position => ({ file })
  return {
    value: toData(value, file),
    locate: at,
    locateKey: at,
    locateText: () => undefined,
    nameField: formatFieldPath,
    originOf: () => 'file',
  }
}

/** Returns a copy that is plain data, so that no getter or prototype of the caller can change it later. */
function toData(value: unknown, file: string): unknown {
  const seen = new Set<object>()
  const copy = (part: unknown, path: FieldPath): unknown => {
    if (typeof part === 'function' || typeof part === 'symbol' || typeof part === 'bigint') {
      throw wholeFileError(file, `${formatFieldPath(path)} is a ${typeof part}; a fleet is plain data`)
    }
    if (typeof part !== 'object' || part === null) return part
    if (seen.has(part)) throw wholeFileError(file, `${formatFieldPath(path)} holds itself`)
    if (Object.hasOwn(part, '__proto__'))
      throw wholeFileError(file, `${formatFieldPath([...path, '__proto__'])} cannot be a key`)
    seen.add(part)
    const result = Array.isArray(part)
      ? part.map((item, index) => copy(item, [...path, index]))
      : Object.fromEntries(
          Object.entries(part)
            .filter(([, item]) => item !== undefined)
            .map(([key, item]) => [key, copy(item, [...path, key])]),
        )
    seen.delete(part)
    return result
  }
  return copy(value, [])
}
