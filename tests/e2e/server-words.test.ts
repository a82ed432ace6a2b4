import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { makeFleet, type Servers, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'

/** Names of variables that no shell can set. */
const names = { 'discovery.type': 'single-node', 'app-mode': 'test', 'a[0].b': 'x', 'two words': '$y "z"', '"$q': '\\' }

const servers: Servers = {
  named: { image, command: ['sleep', '600'], environment: names },
  built: {
    build: { environment: names, run: ['tr "\\0" "\\n" < /proc/self/environ > /seen'] },
    command: ['sleep', '600'],
  },
}

let fleet: StoryFleet
let report: SessionReport

beforeAll(async () => {
  fleet = await makeFleet(servers)
  report = await fleet.json(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

async function inside(server: string, ...command: string[]): Promise<string> {
  return (await fleet.done(['exec', server, '--', ...command])).stdout
}

describe('a server has', () => {
  test('variables of any name, of its own and of its image', async () => {
    const lines = Object.entries(names).map(([name, value]) => `${name}=${value}`)
    expect(report.servers.named?.state).toBe('ready')
    for (const server of ['named', 'built'])
      expect((await inside(server, 'env')).split('\n')).toEqual(expect.arrayContaining(lines))
  })
})
