import { hash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Host } from '../model/host.ts'
import type { SocketHost } from '../sessions/keeper/protocol.ts'
import { agreedLenderSocket } from '../sessions/lender-socket.ts'
import { VERSION } from '../version.ts'
import type { StandbySource } from './protocol.ts'

/** Returns the path of the socket at which the copies of a fleet are lent: a fleet has one lender for all callers of a user. */
export function standbySocket(source: StandbySource, host: SocketHost): string {
  const key = source.kind === 'file' ? [source.path, source.realPath] : [source.folder, JSON.stringify(source.value)]
  return agreedLenderSocket(`standby-${hash('sha256', JSON.stringify(key)).slice(0, 16)}`, host)
}

/** Identifies this installation of testfleet: another one may start the same fleet differently. */
export function programOf({ lenderFile }: Host): string {
  return `${VERSION} ${lenderFile} ${statSync(lenderFile).mtimeMs}`
}
