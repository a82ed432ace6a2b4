import { isBlock } from '../formats/block.ts'
import type { FleetDocument } from './document.ts'

/** Removes keys that start with `x-`, at the top and in servers: as in Compose, they belong to the user. */
export function dropExtensions(document: FleetDocument): FleetDocument {
  const { value } = document
  if (!isBlock(value)) return document
  const { servers, ...top } = dropKeys(value)
  if (servers === undefined) return { ...document, value: top }
  const dropped = isBlock(servers)
    ? Object.fromEntries(Object.entries(servers).map(([name, one]) => [name, isBlock(one) ? dropKeys(one) : one]))
    : servers
  return { ...document, value: { ...top, servers: dropped } }
}

function dropKeys(block: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(block).filter(([key]) => !key.startsWith('x-')))
}
