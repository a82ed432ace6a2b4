import { join } from 'node:path'

export interface SocketHost {
  readonly platform: NodeJS.Platform
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly temporaryFolder: string
  readonly userId: number | undefined
}

/** A socket's address has room for 107 characters on Linux, 103 on macOS. */
const MAX_PATH_LENGTH = 103

/** Where the keeper of a lease listens: in a folder of its user's own. */
export function keeperSocket(lease: string, { platform, environment, temporaryFolder, userId }: SocketHost): string {
  if (platform === 'win32') return `\\\\.\\pipe\\testfleet-${lease}.sock`
  const path = (root: string): string => join(root, `testfleet-${userId ?? 0}`, `${lease}.sock`)
  const wanted = path(environment.XDG_RUNTIME_DIR || temporaryFolder)
  return Buffer.byteLength(wanted) <= MAX_PATH_LENGTH ? wanted : path('/tmp')
}

/** A label could name any socket of this machine: one that is not a keeper's is not spoken to. */
export function isKeeperSocket(path: string): boolean {
  return /[/\\](?:testfleet-\d+\/|testfleet-)[0-9a-f]{12}\.sock$/.test(path)
}
