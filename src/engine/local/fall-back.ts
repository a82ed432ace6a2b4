import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Host } from '../../model/host.ts'
import type { EngineLocation, RemoteLocation } from '../engine.ts'
import { type LocalLocation, localFolder, locateLocal } from './locate.ts'

/** How long an engine may take to accept a connection. One that takes longer is there, and is asked. */
const CONNECT_MS = 1000

/**
 * Returns the local engine's location when nobody has named an engine, none answers at the usual sockets, and this machine can
 * run servers without one. Otherwise, returns the location as it is, with the reason why the local engine cannot be used.
 */
export async function fallBack(location: RemoteLocation, host: Host): Promise<EngineLocation> {
  const missing = host.platform === 'linux' ? await findConnectProblem(location) : undefined
  if (missing === undefined) return location
  const local = locateLocal('local', 'no container engine answers', host)
  const { findLoss, findRights } = await import('./rights.ts')
  const loss = findLoss(await findRights(host, local.endpoint.folder), 'engine')
  if (loss !== undefined) return { ...location, localProblem: `${loss.problem} ${loss.advice}` }
  return { ...local, insteadOf: `${location.url} (${missing})` }
}

/** Returns the local engine's location when it may have sessions that a call without the name of an engine means. */
export async function findWithSessions(location: EngineLocation, host: Host): Promise<LocalLocation | undefined> {
  if (location.candidates === undefined || host.platform !== 'linux') return undefined
  const names = await readdir(join(localFolder(host), 'volumes')).catch(() => [])
  return names.some((name) => name.startsWith('testfleet-'))
    ? locateLocal('local', 'a session of the local engine', host)
    : undefined
}

/** Why nothing can be sent to an engine that was searched; undefined when it was named, or it takes connections. */
async function findConnectProblem({ endpoint, candidates }: RemoteLocation): Promise<string | undefined> {
  if (candidates === undefined || endpoint.kind !== 'socket') return undefined
  const code = await tryConnection(endpoint.path)
  return code === undefined ? undefined : problems[code]
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  ENOTDIR: 'the socket does not exist',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
}

/** Returns the code of the error; undefined when a connection was made. */
function tryConnection(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const end = (code?: string): void => {
      socket.destroy()
      resolve(code)
    }
    socket.setTimeout(CONNECT_MS, end)
    socket.once('connect', () => end()).once('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''))
  })
}
