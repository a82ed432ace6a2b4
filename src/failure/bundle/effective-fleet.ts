import type { Fleet } from '../../model/fleet.ts'

/** The fleet as testfleet understood it, defaults applied. Of a secret it has where it comes from, and no value. */
export function toJsonFleet(fleet: Fleet): unknown {
  const { source, ...rest } = fleet
  return toPlain({ ...rest, file: source.file })
}

function toPlain(value: unknown): unknown {
  if (value instanceof Map) return toPlain(Object.fromEntries(value))
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]))
}
