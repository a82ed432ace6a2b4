import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countLeftovers, removeFleetFolders } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { askEngine } from '../support/raw-engine.ts'
import {
  containersOf,
  inspect,
  makeFleet,
  type Servers,
  type SessionReport,
  type StoryFleet,
} from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
const idle = ['sleep', '600']

/** client → proxy → web; db stands by itself. */
const servers: Servers = {
  client: { image, command: idle, dependsOn: ['proxy'] },
  proxy: { build: { copy: [{ from: 'proxy.conf', to: '/etc/proxy.conf' }] }, command: idle, dependsOn: ['web'] },
  web: {
    build: { copy: [{ from: 'site', to: '/site' }] },
    command: httpServer(8080, 'first'),
    ports: [8080],
    ready: [{ http: { port: 8080 } }],
  },
  db: { image, command: idle, mounts: [{ from: 'app.conf', to: '/app.conf' }] },
}

let fleet: StoryFleet
let before: SessionReport

beforeAll(async () => {
  fleet = await makeFleet(servers, {
    'app.conf': 'one\n',
    'proxy.conf': 'a = 1\n',
    'site/index.html': 'hello\n',
    'site/deep/x': 'x',
  })
  before = await fleet.json(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/** Brings it up again, and tells the servers whose containers are not the ones of before. */
async function upAgain(...words: string[]): Promise<string[]> {
  const [old, report] = [containersOf(before), await fleet.json(['up', ...words])]
  before = report
  const now = containersOf(report)
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((name) => old[name] !== now[name]).sort()
}

describe('a second up', () => {
  test('touches nothing when nothing has changed', async () => {
    const startedAt = await Promise.all(Object.values(containersOf(before)).map(whenStarted))
    expect(await upAgain()).toEqual([])
    expect(await Promise.all(Object.values(containersOf(before)).map(whenStarted))).toEqual(startedAt)
    const { stdout, stderr } = await fleet.done(['up', '--quiet'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^session /)
  })

  test('touches nothing when only times and places have changed', async () => {
    await writeFile(join(fleet.folder, 'site/index.html'), 'hello\n')
    await fleet.declare(Object.fromEntries(Object.entries(servers).reverse()))
    expect(await upAgain()).toEqual([])
    await fleet.declare(servers)
  })

  test('rebuilds the server that has one changed byte, and replaces it and what depends on it', async () => {
    await writeFile(join(fleet.folder, 'site/deep/x'), 'y')
    const plan = (await fleet.done(['plan'])).stdout.split('\n').map((line) => line.trim().split(':')[0])
    expect(plan.filter((line) => line?.startsWith('build'))).toEqual([`build   testfleet/${fleet.name}-web`])
    const images = imagesOf(before)
    expect(await upAgain()).toEqual(['client', 'proxy', 'web'])
    const { web, ...others } = imagesOf(before)
    expect(web).not.toBe(images.web)
    expect({ web: images.web, ...others }).toEqual(images)
    expect(await fleet.exec('web', 'cat', '/site/deep/x')).toBe('y')
    expect(await upAgain()).toEqual([])
  })

  test('replaces a server whose mounted file was replaced by another, and names the file', async () => {
    await writeFile(join(fleet.folder, 'app.conf.new'), 'two\n')
    await rename(join(fleet.folder, 'app.conf.new'), join(fleet.folder, 'app.conf'))
    expect((await fleet.done(['plan'])).stdout).toContain('start   db: mounted app.conf changed')
    expect(await upAgain()).toEqual(['db'])
    expect(await fleet.exec('db', 'cat', '/app.conf')).toBe('two\n')
    expect(await upAgain()).toEqual([])
  })

  test('replaces a server in the middle, and keeps the servers that it depends on', wide, async () => {
    await writeFile(join(fleet.folder, 'proxy.conf'), 'a = 2\n')
    expect(await upAgain()).toEqual(['client', 'proxy'])
  })

  test('replaces a server whose declaration has changed, and builds nothing', async () => {
    const endpoint = () => before.servers.web?.endpoints['8080/tcp']
    const known = endpoint()
    const web = { ...servers.web, command: httpServer(8080, 'second') }
    await fleet.declare({ ...servers, web })
    expect((await fleet.done(['plan'])).stdout).not.toContain('build ')
    expect(await upAgain()).toEqual(['client', 'proxy', 'web'])
    // A program that was given its port goes on with it.
    expect(endpoint()).toEqual(known)
    const { host = '', port = 0 } = known ?? {}
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('second')
    // Somebody else has that port at the address that it gets now.
    const other = createServer().listen(port, '127.0.0.2')
    await once(other, 'listening')
    await fleet.declare({ ...servers, web: { ...servers.web, ports: [{ container: 8080, address: '127.0.0.2' }] } })
    expect(await upAgain()).toEqual(['client', 'proxy', 'web'])
    expect(endpoint()).toMatchObject({ host: '127.0.0.2' })
    expect(endpoint()?.port).not.toBe(port)
    other.close()
    await fleet.declare(servers)
    expect(await upAgain()).toEqual(['client', 'proxy', 'web'])
  })

  test('of one server replaces that one, and what runs and depends on it', wide, async () => {
    await writeFile(join(fleet.folder, 'proxy.conf'), 'a = 3\n')
    await writeFile(join(fleet.folder, 'site/deep/x'), 'z')
    // What it depends on is brought up with it; db is left out of it.
    expect(await upAgain('proxy')).toEqual(['client', 'proxy', 'web'])
    expect(await upAgain()).toEqual([])
  })

  test('starts a server again that has stopped, with the servers that depend on it', async () => {
    await askEngine('POST', `/containers/${containersOf(before).proxy}/kill`)
    await expect.poll(async () => (await fleet.report()).servers.proxy?.state).toBe('exited')
    expect((await fleet.done(['plan'])).stdout).toContain('start   proxy: exited')
    expect(await upAgain()).toEqual(['client', 'proxy'])
  })

  test('removes a server that the file no longer has', async () => {
    const { db: _, ...rest } = servers
    await fleet.declare(rest)
    expect((await fleet.done(['plan'])).stdout).toContain('remove  db: no longer in the fleet')
    // One that is not asked for is left alone.
    expect(await upAgain('web')).toEqual([])
    expect(Object.keys(before.servers)).toContain('db')
    expect(await upAgain()).toEqual(['db'])
    expect(Object.keys(before.servers)).not.toContain('db')
    await fleet.declare(servers)
    expect(await upAgain()).toEqual(['db'])
  })

  test('brings back what rm has removed', wide, async () => {
    expect((await fleet.done(['rm', 'client', 'db'])).stdout).toBe(`session ${fleet.name}: removed 2 servers\n`)
    expect(Object.keys((await fleet.report()).servers)).toEqual(['proxy', 'web'])
    expect(await fleet.call(['rm', 'client'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('client') })
    expect(await fleet.call(['rm'])).toMatchObject({ exitCode: 2 })
    expect(await upAgain()).toEqual(['client', 'db'])
  })

  test('of a session that is down starts all of it', wide, async () => {
    await fleet.done(['down'])
    expect(await countLeftovers(fleet.name)).toBe(0)
    expect(await upAgain()).toEqual(['client', 'db', 'proxy', 'web'])
  })
})

async function whenStarted(container: string): Promise<string> {
  return (await inspect(container)).State.StartedAt
}

function imagesOf(report: SessionReport): Record<string, string> {
  return Object.fromEntries(Object.entries(report.servers).map(([name, server]) => [name, server.image]))
}
