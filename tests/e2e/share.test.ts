import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { countLeftovers, listRecords, removeFleetFolders, SOON_MS, withEngine } from '../support/command.ts'
import { Testfleet } from '../support/library.ts'
import { makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

type Shared = SessionReport & { environment: Record<string, string>; process: number }

const web = {
  image: 'debian:bookworm-slim',
  command: [
    'perl',
    '-MIO::Socket',
    '-e',
    'my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 9); accept my $c, $s while 1',
  ],
  ports: [80],
  export: { WEB_AT: '${endpoint.80}' },
  stopSignal: 'SIGKILL',
}
let fleet: StoryFleet
const runners: ChildProcess[] = []

/** A process that stands for a test runner. */
function startRunner(): number {
  const runner = spawn('sleep', ['600'], { stdio: 'ignore' })
  runners.push(runner)
  return runner.pid ?? 0
}

beforeAll(async () => {
  fleet = await makeFleet({ web })
})

afterAll(async () => {
  for (const runner of runners) runner.kill('SIGKILL')
  await vi.waitFor(async () => expect(await countLeftovers(fleet.name)).toBe(0), { timeout: SOON_MS })
  await fleet.cleanUp()
  await removeFleetFolders()
})

test('all calls for one process get one session, which ends with that process', async () => {
  const pid = startRunner()
  const words = ['share', '--pid', String(pid)]
  const shared = await Promise.all([1, 2, 3].map(() => fleet.json<Shared>(words)))
  const [first] = shared
  expect(new Set(shared.map(({ session }) => session)).size).toBe(1)
  expect(first).toMatchObject({ process: pid, servers: { web: { state: 'ready' } } })
  expect(first?.environment).toMatchObject({ TESTFLEET_SESSION: first?.session, TESTFLEET_WEB_HOST: '127.0.0.1' })

  const at = `${first?.environment.TESTFLEET_WEB_HOST}:${first?.environment.TESTFLEET_WEB_PORT}`
  expect(first?.servers.web).toMatchObject({
    exports: { WEB_AT: at },
    environment: { WEB_AT: at, TESTFLEET_WEB_HOST: '127.0.0.1', TESTFLEET_WEB_HOSTNAME: `web.${fleet.name}.test` },
  })

  const inside = { env: { TESTFLEET_SESSION: first?.session } }
  expect(await fleet.json<Shared>(['share', '--pid', String(startRunner())], inside)).toMatchObject({
    session: first?.session,
  })
  for (const runner of runners) runner.kill('SIGKILL')
  await vi.waitFor(async () => expect(await countLeftovers(fleet.name)).toBe(0), { timeout: SOON_MS })
  await vi.waitFor(async () => expect(await findRecord(first?.session)).toBe(undefined), { timeout: SOON_MS })
  const ended = await fleet.call(['share', '--pid', String(startRunner())], inside)
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Unset TESTFLEET_SESSION') })
})

test('processes that use the library share it until the last one leaves', async () => {
  const testfleet = new Testfleet({ folder: fleet.folder })
  const [one, other] = await Promise.all([testfleet.share(), testfleet.share()])
  expect(other.session).toBe(one.session)
  await one.leave()
  expect((await testfleet.ps({ session: one.session })).servers.web).toMatchObject({ state: 'ready' })
  await other.leave()
  expect(await countLeftovers(fleet.name)).toBe(0)
})

test('a start that fails fails for all that wait for it, and is tried again by a later call', async () => {
  const broken = await makeFleet({
    web: { ...web, command: ['sleep', 'infinity'], ready: [{ tcp: 80 }], readyTimeout: '10m' },
  })
  const ask = () => new Testfleet({ folder: broken.folder }).share().catch((error) => error)
  const calls = [ask(), ask(), ask()]
  await killServer(broken.name)
  const messages = (await Promise.all(calls)).map(({ code, message }) => `${code}: ${message}`)
  expect(messages.every((message) => message.startsWith('SERVER_DIED: '))).toBe(true)
  expect(messages.filter((message) => message.includes('had begun to start this shared session')).length).toBe(2)

  await broken.declare({ web })
  const running = (await ask()) as Awaited<ReturnType<InstanceType<typeof Testfleet>['share']>>
  const other = await makeFleet({ other: web })
  const foreign = new Testfleet({ folder: other.folder }).share(undefined, { session: running.session })
  await expect(foreign).rejects.toMatchObject({ code: 'NAME_TAKEN', message: expect.stringContaining('the fleet') })
  await running.leave()
  expect(await countLeftovers(broken.name)).toBe(0)
})

test('a start that keeps its servers when it fails also fails for all that wait for it', wide, async () => {
  const broken = await makeFleet({ web: { ...web, command: ['sh', '-c', 'sleep 1; exit 3'], ready: [{ tcp: 80 }] } })
  const ask = (keep: boolean) =>
    new Testfleet({ folder: broken.folder }).share(undefined, { keep }).catch((error) => error)
  const failures = await Promise.all([true, true, true].map(ask))
  for (const one of failures) expect(one).toMatchObject({ code: 'SERVER_DIED' })
  expect(failures.filter(({ message }) => message.includes('had begun to start this shared session')).length).toBe(2)
  const [kept] = (await listRecords()).filter(({ name }) => name.startsWith(`${broken.name}-`))
  expect(kept?.lifetime.kind).toBe('lasting')
  expect(await countLeftovers(broken.name)).toBeGreaterThan(0)
  await broken.cleanUp(kept?.name ?? '')
  expect(await countLeftovers(broken.name)).toBe(0)
})

async function findRecord(session: string | undefined): Promise<object | undefined> {
  return (await listRecords()).find(({ name }) => name === session)
}

/** Kills the server of a fleet, once its container runs. */
async function killServer(fleetName: string): Promise<void> {
  await withEngine(async (engine) => {
    await vi.waitFor(
      async () => {
        const [container] = await engine.listContainers({ 'dev.testfleet.fleet': fleetName })
        await engine.killContainer(container?.id ?? '', 'SIGKILL')
      },
      { timeout: SOON_MS },
    )
  })
}

test('refuses a process that does not exist', async () => {
  const { exitCode, stderr } = await fleet.call(['share', '--pid', '4194304'])
  expect([exitCode, stderr]).toEqual([2, 'error: there is no process 4194304\n'])
})
