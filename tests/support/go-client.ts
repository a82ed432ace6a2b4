import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
/** What was compiled before is used again. */
const cache = join(root, 'node_modules/.cache/go')

export const goClient = join(root, 'clients/go')

/** Go without a network. */
export const goEnvironment = {
  GOCACHE: join(cache, 'build'),
  GOPATH: cache,
  GOPROXY: 'off',
  GOFLAGS: '-count=1',
  GOTOOLCHAIN: 'local',
}

/** Returns the program of the client in Go for tests of the wire. */
export async function buildGoClient(): Promise<readonly string[]> {
  const program = join(cache, 'wireclient')
  const env = { ...process.env, ...goEnvironment, GOFLAGS: '' }
  await promisify(execFile)('go', ['build', '-o', program, './internal/wireclient'], { cwd: goClient, env })
  return [program]
}
