/** What anything that was thrown says. */
export function wordError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
