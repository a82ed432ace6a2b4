import { access } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandOptions, removeFleetFolders, SOON_MS, startTestfleet } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { type LocalStore, makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'
import { findTraces, readIds } from '../support/local-traces.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
const problem = await whyNoLocalEngine()
const nothing = { processes: [], mounts: [], names: [] }

describe.skipIf(problem !== undefined)('a fleet of the local engine', () => {
  let store: LocalStore
  let fleet: StoryFleet
  let local: CommandOptions

  beforeAll(async () => {
    store = await makeLocalStore()
    local = { env: { TESTFLEET_ENGINE: store.url } }
    fleet = await makeFleet({
      web: {
        image,
        command: httpServer(80, 'the page\n'),
        ports: [80],
        aliases: ['shop.example'],
        ready: [{ http: { port: 80 } }],
      },
      teller: {
        image,
        command: ['sh', '-c', 'echo hello; exec sleep infinity'],
        ready: [{ log: 'hello' }],
        dependsOn: ['web'],
        init: true,
      },
    })
  })

  afterAll(async () => {
    await store?.remove()
    await removeFleetFolders()
  })

  test('comes up, answers at its address and its port, and leaves nothing after its end', async () => {
    const report = await fleet.json<SessionReport>(['up'], local)
    const { web } = report.servers
    const published = web?.endpoints['80/tcp'] ?? Object.values(web?.endpoints ?? {})[0]
    expect(await get(`http://${published?.host}:${published?.port}/`)).toBe('the page\n')
    expect(await get(`http://${web?.ip}/`)).toBe('the page\n')
    expect((await fleet.done(['logs', 'teller'], local)).stdout).toContain('hello')
    const fetch = ['exec', 'teller', '--', 'perl', '-e', askByName(`web.${fleet.name}.test`)]
    expect((await fleet.done(fetch, local)).stdout).toContain('the page')
    expect((await fleet.call(['exec', 'web', '--', 'sh', '-c', 'exit 7'], local)).exitCode).toBe(7)
    expect((await fleet.done(['ps', '--all'], local)).stdout).toContain(fleet.name)
    const ids = await readIds(store)
    expect((await findTraces(store, ids)).processes).not.toEqual([])
    await fleet.done(['down'], local)
    expect(await findTraces(store, ids)).toEqual(nothing)
    expect(await readIds(store)).toEqual([])
  })

  test('gives a command its real names and ports', async () => {
    const { stdout } = await fleet.done(
      ['run', '--', 'curl', '-sS', `http://web.${fleet.name}.test/`, 'http://shop.example/'],
      local,
    )
    expect(stdout).toBe('the page\nthe page\n')
    expect(await findTraces(store, await readIds(store))).toEqual(nothing)
  })

  test('is removed by the keeper when its call is killed', async () => {
    const running = startTestfleet(['run', '--', 'sh', '-c', 'echo running; exec sleep 1000'], {
      ...local,
      cwd: fleet.folder,
    })
    await running.waitForOutput(/running/)
    const ids = await readIds(store)
    running.kill('SIGKILL')
    await running.result
    await eventually(async () => expect(await findTraces(store, ids)).toEqual(nothing))
    await eventually(async () => expect(await readIds(store)).toEqual([]))
  })

  test('is named by doctor, and its folder is where it was wanted', async () => {
    expect((await fleet.done(['doctor'], local)).stdout).toContain(store.url)
    await access(join(store.folder, 'images'))
  })
})

/** A client for HTTP in Perl, which every image of Debian has. */
function askByName(host: string): string {
  return `use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => "${host}:80") or die; print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print while <$s>`
}

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { timeout: SOON_MS, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => resolve(text))
    })
      .once('error', reject)
      .end()
  })
}
