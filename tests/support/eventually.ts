import { vi } from 'vitest'

/** Resolves once the assertion holds; the limit ends only what would wait for ever, on a busy machine too. */
export function eventually(assertion: () => unknown): Promise<unknown> {
  return vi.waitFor(assertion, { interval: 5, timeout: 60_000 })
}
