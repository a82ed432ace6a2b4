import type { RemovedSession } from '../down.ts'
import type { SessionReport } from '../model/running.ts'
import type { Call } from './call.ts'

/** Prints the result of a command: as JSON when the call wants that, else the text. Returns the exit code of success. */
export function answer(call: Call, result: unknown, text: string): 0 {
  call.output.endProgress()
  if (call.json) writeJson(call, result)
  else call.output.write(text)
  return 0
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** The answer of `join` and `release`. `held` counts the processes that hold the session; undefined when none has to. */
export function answerHeld(call: Call, session: string, pid: number, held: number | undefined, text: string): 0 {
  const said = held === undefined ? 'stays until it is taken down, nobody has to hold it' : text
  return answer(call, { session, process: pid, held: held ?? null }, `session ${session}: ${said}\n`)
}

/** A session for a person: a row for each server. */
export function formatReport(report: SessionReport): string {
  const rows = Object.entries(report.servers).map(([name, server]) => [
    name,
    server.state,
    formatEndpoints(server.endpoints).join('  '),
  ])
  return `session ${report.session} (${report.domain})\n${formatTable(rows)}`
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Each endpoint as `HOST:PORT→PORT/PROTOCOL`; an IPv6 address has brackets. */
export function formatEndpoints(endpoints: SessionReport['servers'][string]['endpoints']): string[] {
  return Object.entries(endpoints).map(
    ([port, { host, port: number }]) => `${host.includes(':') ? `[${host}]` : host}:${number}→${port}`,
  )
}

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
