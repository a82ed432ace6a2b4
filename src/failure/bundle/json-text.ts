import type { Mask } from '../mask.ts'

/** Masked before it is written, so that what a secret breaks is not the JSON. */
export function toJsonText(value: unknown, mask: Mask): string {
  return `${JSON.stringify(mask.json(value), null, 2)}\n`
}

export function toJsonLine(value: unknown, mask: Mask): string {
  return `${JSON.stringify(mask.json(value))}\n`
}
