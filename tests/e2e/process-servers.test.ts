import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBundles, readBundle } from '../support/bundles.ts'
import { countLeftovers, removeFleetFolders } from '../support/command.ts'
import { makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'

/** A server that runs already, on loopback. It demands a login and keeps what it was asked. */
let staging: Server
let port: number
let fleet: StoryFleet
const asked: string[] = []
const PASSWORD = 'not/shown-0123456789'
const login = (): string => `http://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/api`

const declare = (): Servers => ({
  backend: {
    image: 'debian:bookworm-slim',
    command: ['sleep', '600'],
    external: { env: 'BACKEND_URL' },
    ports: [80],
    ready: [{ http: { port: 80, path: '/up', status: 200 } }],
    export: { BACKEND_URL: 'http://${endpoint.80}/api' },
  },
})

beforeAll(async () => {
  staging = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    response.writeHead(request.url === '/up' ? 200 : 404).end('here')
  })
  await new Promise<void>((resolve) => void staging.listen(0, '127.0.0.1', resolve))
  port = (staging.address() as AddressInfo).port
  fleet = await makeFleet(declare())
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
  staging.close()
})

test('an external server is probed, exported and listed, and is never stopped or removed', async () => {
  const env = { BACKEND_URL: login() }
  expect((await fleet.done(['plan'], { env })).stdout).toContain(
    `use     backend: external, http://app@127.0.0.1:${port}/api`,
  )
  const up = await fleet.json(['up'], { env })
  expect(up.servers.backend).toMatchObject({
    ...{ state: 'ready', runs: 'external', container: '', image: `http://app@127.0.0.1:${port}/api` },
    ...{ hostname: '127.0.0.1', endpoints: { '80/tcp': { host: '127.0.0.1', port } } },
  })
  expect(asked).toContain('127.0.0.1 /up')
  // The session says where it is, whatever the variable is now.
  const printed = await fleet.done(['join', '--quiet', '--', 'sh', '-c', 'echo "$BACKEND_URL $TESTFLEET_BACKEND_PORT"'])
  expect(printed.stdout).toBe(`${login()} ${port}\n`)
  expect((await fleet.done(['endpoints'])).stdout).toContain(`127.0.0.1:${port}→80/tcp`)
  expect((await fleet.done(['up'], { env })).stdout).toContain('ready')
  const refusals = [
    ['stop', 'backend'],
    ['exec', 'backend', '--', 'true'],
    ['logs', 'backend'],
    ['cp', 'backend:/etc/passwd', '.'],
    ['reset', 'backend'],
    ['rm', 'backend'],
    ['lease', 'backend', '--', 'true'],
  ]
  const refused = await Promise.all(refusals.map((words) => fleet.call(words)))
  for (const { exitCode, stderr } of refused)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: `[a-z, ]+` cannot be used on backend: it is an external server, /),
    })
  expect((await fleet.done(['stop'])).stdout).not.toContain('backend')
  expect((await fleet.done(['down'])).exitCode).toBe(0)
  expect(staging.listening).toBe(true)
})

test('an external server that does not answer fails the start, and its password is shown nowhere', async () => {
  await fleet.declare({
    backend: { external: login(), ready: [{ http: { port, path: '/gone' } }], readyTimeout: '1s' },
  })
  const TMPDIR = join(fleet.folder, 'tmp')
  await mkdir(TMPDIR)
  const failed = await fleet.call(['run', '--', 'true'], { env: { TMPDIR } })
  expect(failed).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('http :') })
  const [bundle = ''] = await findBundles(TMPDIR)
  const files = await readBundle(bundle)
  expect(files['plan.txt']).toContain('use     backend: external, ')
  const shown = [failed.stdout, failed.stderr, JSON.stringify(files), (await fleet.done(['config'])).stdout].join('\n')
  for (const form of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(shown).not.toContain(form)
  expect((await fleet.call(['check'])).stdout).toContain('the URL of the external server contains a password')
  expect(await countLeftovers(fleet.name)).toBe(0)
})
