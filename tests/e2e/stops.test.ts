import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type Servers } from '../support/story-fleet.ts'
import { base } from '../support/test-fleet.ts'

const image = 'debian:bookworm-slim'

/** Needs two seconds to stop, and then writes that it has. */
const slow = 'trap "sleep 2; echo $0 >> /ends/all; exit 0" TERM; echo set; while :; do sleep 0.1; done'
const deaf = 'trap "" TERM; echo set; while :; do sleep 0.1; done'
const mounts = [{ from: 'ends', to: '/ends', writable: true }]
const ready = [{ log: 'set' }]
const servers: Servers = {
  slow: { image, command: ['sh', '-c', slow, 'slow'], stopGracePeriod: '50s', mounts, ready },
  deaf: { image, command: ['sh', '-c', deaf], stopSignal: 'SIGTERM', stopGracePeriod: '1s', ready },
}
const killed =
  'warning: deaf was killed: it still ran 1 s after SIGTERM; raise its `stopGracePeriod` if it needs longer\n'

afterAll(removeFleetFolders)

/** The one rule by which a server ends is that of `runtime.stopServer`; these are two of its callers. */
describe.concurrent('a stopped server gets its grace period, and is reported when it had to be killed', () => {
  const make = (more: Servers = {}) => makeFleet({ ...servers, ...more }, { 'ends/all': '' })

  test('when an up fails', async () => {
    const fails = { image, command: ['sh', '-c', 'exit 3'], dependsOn: ['slow', 'deaf'] }
    const fleet = await make({ fails })
    const call = await fleet.call(['up'])
    expect(call).toMatchObject({ exitCode: 1 })
    expect(call.stderr).toContain(killed)
    expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('slow\n')
  })

  test('when a server is replaced, and at the end of its session', async () => {
    const fleet = await make()
    await fleet.done(['up'])
    await fleet.declare({ ...servers, deaf: { ...servers.deaf, environment: { A: 'b' } } })
    const up = await fleet.done(['up'])
    expect(up.stderr).toContain(killed)
    const down = await fleet.done(['down'])
    expect(down.stderr).toContain(killed)
    expect(down.stderr).not.toContain('slow was killed')
    expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('slow\n')
  })
})

/** On SIGTERM, asks a server that it depends on after a second, and writes the answer before it ends. */
const USER = `
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
process.on('SIGTERM', async () => {
  await sleep(1000)
  const said = await fetch(process.env.CACHE_URL).then((answer) => answer.text(), ({ cause }) => String(cause))
  appendFileSync('answers', said + '\\n')
  process.exit(0)
})
setInterval(() => {}, 1000)
console.log('set')
`

test('a process reaches what it depends on until its end: after run, in a replacement, with rm and down', async () => {
  const cache = {
    ...{ image: base, command: httpServer(80, 'cached'), ports: [80] },
    export: { CACHE_URL: 'http://${endpoint.80}/' },
  }
  const proxy = { image, command: ['sleep', '600'], dependsOn: ['cache'] }
  const app: Servers[string] = { process: [process.execPath, 'app.mjs'], dependsOn: ['proxy'], ready }
  const fleet = await makeFleet({ cache, proxy, app }, { 'app.mjs': USER, answers: '' })
  const answers = (): Promise<string> => readFile(join(fleet.folder, 'answers'), 'utf8')
  await fleet.done(['run', '--', 'true'])
  expect(await answers()).toBe('cached\n')
  await fleet.done(['up'])
  await fleet.declare({ cache: { ...cache, environment: { A: 'b' } }, proxy, app })
  await fleet.done(['up'])
  expect(await answers()).toBe('cached\n'.repeat(2))
  await fleet.done(['rm', 'app', 'cache'])
  expect(await answers()).toBe('cached\n'.repeat(3))
  await fleet.done(['up'])
  await fleet.done(['down'])
  expect(await answers()).toBe('cached\n'.repeat(4))
})
