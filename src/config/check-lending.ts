import { type Fleet, portPath, type Server } from '../model/fleet.ts'
import { isolations, placeholders } from '../model/lending.ts'
import type { ReportMistake } from './document.ts'

/** Keys about the leases of a server that contradict others of its keys. */
export function checkLending(server: Server, report: ReportMistake): void {
  const { name, lending, ready } = server
  const at = ['servers', name]
  const others = isolations.filter((one) => one === 'container' || lending[one] !== undefined)
  const offer = others.length > 1 ? `this server can have ${others.map((one) => `\`${one}\``).join(' or ')}; ` : ''
  if (lending.isolation === 'reset' && lending.reset === undefined)
    report(
      [...at, 'isolation'],
      `${offer}\`reset\` needs the key \`reset\`, with the steps that make the server pristine`,
    )
  if (lending.isolation === 'database' && lending.database === undefined)
    report([...at, 'isolation'], `${offer}\`database\` needs the key \`database\`, which says how a database is copied`)
  if (lending.pool !== undefined && ready.some(({ kind }) => kind === 'exit'))
    report([...at, 'pool'], 'cannot go with an `exit` check: a server that has ended cannot be lent')
  checkPlaceholders(server, report)
  // Leased databases are inside the server itself, which is not copied.
  if (lending.pool !== undefined && lending.isolation !== 'database')
    checkCopies(server, 'a server with a `pool`', report)
}

/** Copies of a fleet run side by side. */
export function checkStandby({ standby, servers }: Fleet, report: ReportMistake): void {
  if (standby === undefined) return
  for (const server of servers.values()) checkCopies(server, 'a fleet with `standby`', report)
}

/** Each copy has its own volumes, but all would share a port or a folder of this machine. */
function checkCopies(server: Server, what: string, report: ReportMistake): void {
  server.ports.forEach(({ host, container }, index) => {
    // A process listens at its ports itself.
    const number = server.runs.kind === 'process' ? container : host
    if (number === undefined) return
    report(portPath(server, index), `${what} has copies, which cannot share the port ${number} of this machine`)
  })
  server.mounts.forEach(({ kind, writable }, index) => {
    if (kind !== 'bind' || !writable) return
    report(['servers', server.name, 'mounts', index], `${what} has copies, which would all write to this mount`)
  })
}

function checkPlaceholders({ name, lending: { database } }: Server, report: ReportMistake): void {
  if (database === undefined) return
  for (const list of ['template', 'create', 'close', 'drop'] as const)
    database[list]?.forEach((line, index) => {
      const known: readonly string[] = placeholders[list]
      const [wrong] = [...line.matchAll(/\$\{(\w+)\}/g)]
        .map(([, word = '']) => word)
        .filter((word) => !known.includes(word))
      if (wrong === undefined) return
      const words = known.map((word) => `\${${word}}`).join(', ')
      report(['servers', name, 'database', list, index], `\${${wrong}} is not known here; there are ${words}`)
    })
}
