const PREFIX = 'process-'

/** Whether it is the id of a server without a container. */
export function isProcessId(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** Returns the id with this random part. */
export function toProcessId(random: string): string {
  return `${PREFIX}${random}`
}
