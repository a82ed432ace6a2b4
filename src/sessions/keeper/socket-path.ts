import { join } from 'node:path'

export interface SocketHost {
  readonly platform: NodeJS.Platform
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly temporaryFolder: string
  readonly userId: number | undefined
}

/** A socket's address has room for 107 characters on Linux, 103 on macOS. */
const MAX_PATH_LENGTH = 103

/** Where a keeper listens: in a folder that only its user can enter. `id` is a change's. */
export function keeperSocket(id: string, { platform, environment, temporaryFolder, userId }: SocketHost): string {
  if (platform === 'win32') return `\\\\.\\pipe\\testfleet-${id}.sock`
  const path = (root: string): string => join(root, `testfleet-${userId ?? 0}`, `${id}.sock`)
  const wanted = path(environment.XDG_RUNTIME_DIR || temporaryFolder)
  return Buffer.byteLength(wanted) <= MAX_PATH_LENGTH ? wanted : path('/tmp')
}
