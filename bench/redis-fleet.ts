import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'

export const fleetName = 'testfleet-bench'

/** Command of a server without persistence or authentication: only the container protects it. */
export const redisCommand = ['redis-server', '--save', '', '--protected-mode', 'no']

/** Writes the fleet file of `count` redis servers, as a person would, and returns its path. */
export async function writeRedisFleet(folder: string, count: number): Promise<string> {
  const redis = {
    build: { packages: ['redis-server'] },
    command: redisCommand,
    ports: [6379],
    ready: [{ tcp: { port: 6379, send: 'PING\r\n', expect: '+PONG' } }],
  }
  const names = Array.from({ length: count }, (_, index) => `s${index + 1}`)
  const fleet = { name: fleetName, servers: Object.fromEntries(names.map((name) => [name, redis])) }
  const path = join(folder, `redis-${count}.yaml`)
  await writeFile(path, stringify(fleet, { aliasDuplicateObjects: false }))
  return path
}
