import type { SessionReport } from '../model/running.ts'

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
