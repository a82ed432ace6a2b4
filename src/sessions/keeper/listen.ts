import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'

/** Only its user may speak to it. Undefined when it cannot be: a keeper keeps all the same, only nobody can join. */
export async function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server | undefined> {
  const isPipe = path.startsWith('\\\\.\\pipe\\')
  try {
    if (!isPipe) {
      makeFolder(dirname(path))
      // The temporary folder is everybody's: whoever made this one first could take the place of a socket in it.
      if (lstatSync(dirname(path)).uid !== process.getuid?.()) return undefined
      rmSync(path, { force: true })
    }
    const server = createServer(onConnection)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    if (!isPipe) chmodSync(path, 0o600)
    server.on('error', () => {})
    return server
  } catch {
    return undefined
  }
}

/** Only the last part of it: a folder for temporary files that is not there is not ours to make. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
