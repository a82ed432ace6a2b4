import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, SOON_MS, waitForNothing } from '../support/command.ts'
import { Testfleet } from '../support/library.ts'
import { takeFrom } from '../support/take-copy.ts'
import { endFleets, makeFleet, readError, server, type TestFleet, webServer } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

afterAll(endFleets)

const soon = { timeout: SOON_MS, interval: 500 }

/** Names of the standby copies that wait. */
async function standbyOf(fleet: TestFleet): Promise<string[]> {
  const { sessions } = JSON.parse((await fleet.run(['ps', '--all', '--json'])).stdout)
  return sessions.flatMap((one: { session: string; fleet: string; state: string; running: number }) =>
    one.fleet === fleet.name && one.state === 'standby' && one.running === 0 ? [one.session] : [],
  )
}

const web = { command: webServer, ports: [80] }
const print = ['--', 'sh', '-c', 'echo $TESTFLEET_SESSION $TOKEN; test -n "$TESTFLEET_WEB_PORT_80"']

describe.concurrent('standby copies of a fleet', () => {
  test('are taken by one caller each, and are removed by down', async () => {
    const mounts = [{ from: './www', to: '/www' }]
    const fleet = await makeFleet([`web: ${server({ ...web, mounts })}`], { 'www/a': 'one' })
    const warmed = await fleet.run(['warm', '--standby', '3', '--idle', '10m', '--json'])
    const report = JSON.parse(warmed.stdout)
    expect(report).toMatchObject({ standby: 3, paused: true, problems: [] })
    expect(report.memoryBytes).toBeGreaterThan(100_000)
    expect((await fleet.run(['doctor'])).stdout).toMatch(
      new RegExp(`standby copies of .*${fleet.name}.* MiB of memory`),
    )
    const events = join(fleet.folder, 'events.ndjson')
    const both = await Promise.all([fleet.run(['run', '--events', events, ...print]), fleet.run(['run', ...print])])
    for (const { exitCode, stderr } of both) {
      expect(stderr).toMatch(/^web: ready in \S+ s$/m)
      expect(stderr).not.toContain('web: starting')
      expect(exitCode).toBe(0)
    }
    const sessions = both.map(({ stdout }) => stdout.split(' ')[0]?.trim())
    expect(new Set(sessions).size).toBe(2)
    expect(report.ready).toEqual(expect.arrayContaining(sessions))
    const lines = readFileSync(events, 'utf8').trim().split('\n')
    const kinds = lines.map((line) => JSON.parse(line).kind)
    expect(kinds).toEqual(['operation.started', 'server.ready', 'operation.ended'])
    // By now the files are old enough that the lender only looks whether they have changed.
    await writeFile(join(fleet.folder, 'www/a'), 'two')
    const refused = 'the standby copies are out of date: web: mounted www changed'
    expect(await takeFrom(fleet)).toMatchObject({ refused })
    const stopped = await fleet.run(['down', '--json'])
    expect(JSON.parse(stopped.stdout).standby).toBeInstanceOf(Array)
    await waitForNothing(fleet.name)
  })

  test('are never out of date, and the fleet is started if none can be used', wide, async () => {
    const secrets = { secrets: { token: { env: 'FAILING_SECRET' } }, export: { TOKEN: '${secret.token}' } }
    const mounts = [{ from: './www', to: '/www' }]
    const fleet = await makeFleet([`web: ${server({ ...web, ...secrets, mounts, pool: 1 })}`], { 'www/a': 'one' })
    const env = { FAILING_SECRET: 'first' }
    await fleet.run(['warm', '--standby', '2'], { env })
    const pruned = await fleet.run(['prune', '--all', '--dry-run', '--json'])
    expect(pruned.stdout).toContain('it is held ready as a standby copy')

    const failed = await fleet.run(['run', '--', 'sh', '-c', 'test -S "$TESTFLEET_LENDER" && exit 3'], { env })
    expect(failed.exitCode).toBe(3)
    expect(failed.stderr).not.toContain('web: starting')
    expect(failed.stderr).toContain('the command ended with exit code 3')

    const other = await fleet.run(['run', ...print], { env: { FAILING_SECRET: 'second' } })
    expect(other.stdout).toMatch(/ second$/m)
    expect(other.stderr).toContain('warning: the variable FAILING_SECRET had another value')
    const one = await fleet.run(['run', '--server', 'web', ...print], { env })
    expect(one.stderr).toContain('warning: the fleet is started: no standby copy can be used with --server\n')
    const none = await fleet.run(['run', '--no-standby', ...print], { env })
    expect(none.stderr).toMatch(/^web: starting$/m)
    await writeFile(join(fleet.folder, 'www/a'), 'two')
    const changed = await fleet.run(['run', ...print], { env })
    expect(changed.stderr).toContain('warning: the standby copies are out of date: web: mounted www changed\n')
    expect(changed.exitCode).toBe(0)

    await vi.waitFor(async () => expect(await standbyOf(fleet)).toHaveLength(2), soon)
    for (const session of await standbyOf(fleet)) await fleet.run(['kill', '--force', '--session', session])
    const dead = await fleet.run(['run', ...print], { env })
    expect(dead.stderr).toContain('warning: a standby copy cannot be used: ')
    expect(dead.exitCode).toBe(0)

    const second = { FAILING_SECRET: 'second' }
    const warmed = await fleet.run(['warm', '--standby', '1', '--json'], { env: { ...second, TMPDIR: fleet.folder } })
    expect(JSON.parse(warmed.stdout)).toMatchObject({ standby: 1, problems: [] })
    const taken = await fleet.run(['run', ...print], { env: second })
    expect(taken.stderr).not.toContain('web: starting')
    expect(taken.stdout).toMatch(/ second$/m)
    // By the command, whose state folder is another one than that of this process.
    await fleet.run(['down'])
    await waitForNothing(fleet.name)
  })

  test('are held by a fleet file that says so, within its memory, and go with it', wide, async () => {
    const fleet = await makeFleet([`web: ${server(web)}`])
    const file = join(fleet.folder, 'testfleet.yaml')
    await writeFile(file, `${readFileSync(file, 'utf8')}standby: { size: 1, memory: 1g }\n`)
    expect((await fleet.run(['run', '--', 'true'])).stderr).toContain('web: starting')
    await vi.waitFor(async () => expect(await standbyOf(fleet)).toHaveLength(1), soon)
    const limited = await fleet.run(['warm', '--memory', '1m', '--json'])
    expect(limited.stderr).toMatch(/warning: a copy uses \S+; the limit is 1m/)
    expect(JSON.parse(limited.stdout).ready).toEqual([])
    await rm(file)
    await waitForNothing(fleet.name)
  })

  test('are taken by the library, which has one more prepared', wide, async () => {
    const fleet = await makeFleet([`web: ${server(web)}`])
    const client = new Testfleet({ folder: fleet.folder })
    const { ready, problems } = await client.warm(undefined, { standby: 1 })
    expect(problems).toEqual([])
    {
      await using running = await client.start()
      expect([running.session]).toEqual(ready)
      expect(running.server('web').endpoint(80).port).toBeGreaterThan(0)
      expect(running.environment.TESTFLEET_WEB_PORT_80).toBeDefined()
      expect((await client.ps({ session: running.session })).servers.web?.state).toBe('ready')
    }
    const left = await client.sessions()
    expect(left.some(({ session }) => ready.includes(session))).toBe(false)
    await client.warm(undefined, { stop: true })
    await waitForNothing(fleet.name)
  })

  test('are refused where they cannot run side by side', async () => {
    const fleet = await makeFleet([`web: ${server({ command: webServer, ports: [{ container: 80, host: 18080 }] })}`])
    const refused = await fleet.run(['warm', '--json'])
    expect(readError(refused)).toMatchObject({
      code: 'USAGE',
      message: 'the fleet can have no standby copies: web: copies cannot share the port 18080 of this machine',
    })
    expect((await fleet.run(['warm', '--stop'])).stdout).toBe('there were no standby copies\n')
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})
