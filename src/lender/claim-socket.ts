import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { isInOwnFolder } from '../sessions/keeper/protocol.ts'

/** The only server of a path. */
export interface ClaimedSocket {
  readonly server: Server
  /** Stops listening and removes the path, if no successor has it. */
  release(): void
}

/**
 * Listens at a path, unless a process that is alive already does: then resolves with undefined. Of several callers at
 * the same time, exactly one gets the path, and a path that a killed process has left is taken over.
 *
 * A file cannot be replaced only if its owner is dead, so the path is a link to a socket with a number. Each claim takes
 * the next number, and the file system gives a number only once.
 */
export async function claimSocket(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<ClaimedSocket | undefined> {
  if (path.startsWith('\\\\.\\pipe\\')) return claimPipe(path, onConnection)
  makeFolder(dirname(path))
  if (!isInOwnFolder(path)) throw notOwn(dirname(path))
  const draft = `${path}.${randomBytes(4).toString('hex')}~`
  const server = await listen(draft, onConnection)
  try {
    chmodSync(draft, 0o600)
    for (;;) {
      const newest = numbersOf(path).at(-1)
      if (newest !== undefined && (await isServed(`${path}.${newest}`))) break
      const number = (newest ?? 0) + 1
      // The socket already listens when its name appears, so nobody takes it for a dead one.
      if (!link(draft, `${path}.${number}`)) continue
      // A caller that was slow may take a number that was already given back.
      if (numbersOf(path).some((other) => other > number)) {
        rmSync(`${path}.${number}`, { force: true })
        break
      }
      pointTo(path, number)
      let isReleased = false
      const releaseOnce = (): void => {
        // The next claim may have the same number.
        if (!isReleased) release(path, number, server)
        isReleased = true
      }
      return { server, release: releaseOnce }
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  server.close()
  return undefined
}

/** Returns the numbers of a path's sockets, in ascending order. */
function numbersOf(path: string): readonly number[] {
  const prefix = `${basename(path)}.`
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((one, other) => one - other)
}

function pointTo(path: string, number: number): void {
  const draft = `${path}.${randomBytes(4).toString('hex')}~`
  symlinkSync(`${basename(path)}.${number}`, draft)
  renameSync(draft, path)
  for (const old of numbersOf(path)) if (old < number) rmSync(`${path}.${old}`, { force: true })
}

function release(path: string, number: number, server: Server): void {
  server.close()
  try {
    if (readlinkSync(path) === `${basename(path)}.${number}`) rmSync(path, { force: true })
  } catch {
    // Somebody has removed the folder.
  }
  rmSync(`${path}.${number}`, { force: true })
}

/** Removes the files that a killed server has left at a path. Leaves them if one that is alive serves it. */
export async function removeDeadSocket(path: string): Promise<void> {
  if (path.startsWith('\\\\.\\pipe\\')) return
  try {
    if (!isInOwnFolder(path)) return
    for (const number of numbersOf(path)) {
      if (await isServed(`${path}.${number}`)) return
      release(path, number, createServer())
    }
  } catch {
    // There is no such folder.
  }
}

/** Removes what killed lenders have left in the folder of a path. */
export async function sweepDeadSockets(path: string): Promise<void> {
  if (path.startsWith('\\\\.\\pipe\\')) return
  const folder = dirname(path)
  const paths = readdirSync(folder).flatMap((name) => /^(lender-.*\.sock)\.\d{1,9}$/.exec(name)?.[1] ?? [])
  await Promise.all([...new Set(paths)].map((name) => removeDeadSocket(join(folder, name))))
  await Promise.all(listDrafts(folder).map(removeDeadDraft))
}

/** A claim needs its draft for a moment only. */
const LONGEST_CLAIM_MS = 60_000

/** Returns the paths at which lenders have begun to listen, or to point to their number, so long ago that they were killed. */
function listDrafts(folder: string): string[] {
  const drafts = readdirSync(folder).filter((name) => /^lender-.*\.sock\.[0-9a-f]{8}~$/.test(name))
  return drafts
    .map((name) => join(folder, name))
    .filter((path) => {
      const madeAtMs = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
      return madeAtMs !== undefined && Date.now() - madeAtMs > LONGEST_CLAIM_MS
    })
}

/** A process that was only stopped for a while still serves its draft. */
async function removeDeadDraft(path: string): Promise<void> {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  if (isLink || !(await isServed(path))) rmSync(path, { force: true })
}

/** Windows removes a pipe with its process, and gives its name only once. */
async function claimPipe(path: string, onConnection: (socket: Socket) => void): Promise<ClaimedSocket | undefined> {
  try {
    const server = await listen(path, onConnection)
    return { server, release: () => void server.close() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}

async function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.on('error', () => {})
  return server
}

/** False when the name is already taken. */
function link(existing: string, name: string): boolean {
  try {
    linkSync(existing, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Whether a process listens there. A socket whose waiting line is full belongs to one. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (isAlive: boolean): void => {
      socket.destroy()
      resolve(isAlive)
    }
    socket.once('connect', () => end(true))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

/** Anyone can make a folder of this name in the temporary folder, so only a person can remove it. */
function notOwn(folder: string): TestfleetError {
  const hint = `Run \`chmod 700 '${folder}'\` if it is your folder; else remove it as root: \`rm -r '${folder}'\`.`
  return new TestfleetError('LENDER_LOST', `${folder} does not belong to this user alone`, { hint })
}

/** Creates only the last folder of the path: a missing temporary folder is not created. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
