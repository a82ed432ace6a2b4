import { once } from 'node:events'
import type { RemovedSession } from '../api/types/down.ts'
import type { HeldSession } from '../api/types/hold.ts'
import { controlCharacterSource, escapeUnits } from '../formats/strip-controls.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import type { Call } from './call.ts'

/** Prints the result of a command, as JSON if the call wants it, else as text. Returns the exit code of success. */
export function answer(call: Call, result: unknown, text: string): 0 {
  call.output.endProgress()
  if (call.json) writeJson(call, result)
  else call.output.write(text)
  return 0
}

export function writeJson(call: Call, value: unknown): void {
  call.output.writeData(`${toJsonText(value, 2)}\n`)
}

const controlCharacter = new RegExp(controlCharacterSource, 'gu')

/** JSON.stringify keeps some control characters that a terminal would obey. Escaped, they are the same JSON. */
export function toJsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(controlCharacter, escapeUnits)
}

/** Result of `join` and `release`. `held` counts the other processes that hold the session. */
export function answerHeld(call: Call, { session, pid, held }: HeldSession, text: string): 0 {
  return answer(call, { session, process: pid, held }, `session ${session}: ${text}\n`)
}

/** Formats a session for people: a row for each server. */
export function formatReport(report: SessionReport): string {
  const rows = Object.entries(report.servers).map(([name, server]) => {
    return [name, formatState(server), formatEndpoints(server.endpoints).join('  ')]
  })
  return `session ${report.session} (${report.domain})\n${formatTable(rows)}`
}

/** `ready`, or `exited (137, out of memory)`. */
export function formatState({ state, exitCode, outOfMemory }: ServerReport): string {
  if (state !== 'exited' || exitCode === undefined) return state
  return `exited (${exitCode}${outOfMemory === true ? ', out of memory' : ''})`
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => `  ${line.trimEnd()}\n`).join('')
}

/** Each endpoint as `HOST:PORT→PORT/PROTOCOL`. An IPv6 address has brackets. */
export function formatEndpoints(endpoints: SessionReport['servers'][string]['endpoints']): string[] {
  return Object.entries(endpoints).map(
    ([port, { host, port: number }]) => `${host.includes(':') ? `[${host}]` : host}:${number}→${port}`,
  )
}

export function formatRemoved({ session, servers, networks, volumes, standby = [] }: RemovedSession): string {
  const copies = standby.length === 0 ? '' : `${formatCopies(standby.length)} removed\n`
  const things = countThings(servers.length, networks, volumes)
  if (things === '') return copies || `session ${session}: there was nothing to remove\n`
  return `session ${session}: removed ${things}\n${copies}`
}

export function formatCopies(count: number): string {
  return `${count} standby ${count === 1 ? 'copy' : 'copies'}`
}

/** `2 servers, 1 network`, or an empty text for nothing. */
export function countThings(servers: number, networks: number, volumes: number): string {
  return Object.entries({ server: servers, network: networks, volume: volumes })
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${word}${count === 1 ? '' : 's'}`)
    .join(', ')
}

/** Waits until the reader of stdout has taken what was printed: what a slow one leaves must not fill the memory. */
export async function waitForReader(signal: AbortSignal): Promise<void> {
  const { stdout } = process
  if (stdout.writableNeedDrain) await once(stdout, 'drain', { signal }).catch(() => signal.throwIfAborted())
}
