import type { Removed } from '../down.ts'

export function formatRemoved({ session, servers, networks, volumes }: Removed): string {
  if (servers.length + networks + volumes === 0) return `session ${session}: there was nothing to remove\n`
  const parts = [count(servers.length, 'server'), count(networks, 'network'), count(volumes, 'volume')]
  return `session ${session}: removed ${parts.filter((part) => part !== undefined).join(', ')}\n`
}

function count(number: number, word: string): string | undefined {
  if (number === 0) return undefined
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
