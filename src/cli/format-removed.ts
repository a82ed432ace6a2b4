import type { RemovedSession } from '../down.ts'

export function formatRemoved({ session, servers, networks, volumes }: RemovedSession): string {
  const things = countThings(servers.length, networks, volumes)
  if (things === '') return `session ${session}: there was nothing to remove\n`
  return `session ${session}: removed ${things}\n`
}

/** `2 servers, 1 network`; nothing for nothing. */
export function countThings(servers: number, networks: number, volumes: number): string {
  const parts = [count(servers, 'server'), count(networks, 'network'), count(volumes, 'volume')]
  return parts.filter((part) => part !== undefined).join(', ')
}

function count(number: number, word: string): string | undefined {
  if (number === 0) return undefined
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
