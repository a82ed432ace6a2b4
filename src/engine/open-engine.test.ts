import { Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { Host } from '../model/host.ts'
import { findEngine, openEngine } from './open-engine.ts'

// Also used for DNS lookups.
const connect = vi.spyOn(Socket.prototype, 'connect')

afterEach(() => {
  expect(connect).not.toHaveBeenCalled()
})

function host(environment: Host['environment'] = {}): Host {
  return {
    workingFolder: '/nowhere',
    homeFolder: '/nowhere',
    temporaryFolder: '/nowhere',
    environment,
    platform: 'linux',
    userId: undefined,
    groupId: undefined,
    processId: 1,
    parentProcessId: 0,
    keeperFile: '/nowhere',
    lenderFile: '/nowhere',
    supervisorFile: '/nowhere',
    presetsFolder: '/nowhere',
    nodeHookFile: '',
    commandGuardFile: '',
    owner: 'someone@here',
  }
}

test.each([
  'tcp://engine.invalid:2375',
  'tcp://engine.invalid',
  'http://engine.invalid/docker',
  'engine.invalid:2375',
  'tcp://192.0.2.1:2375',
  'tcp://[2001:db8::1]:2375',
  'tcp://localhost.engine.invalid:2375',
])('an engine of another machine without TLS is refused: %s', async (url) => {
  const failure = { code: 'ENGINE_INSECURE', exitCode: 3, hint: expect.stringContaining('DOCKER_TLS_VERIFY=1') }
  await expect(openEngine(url, host())).rejects.toMatchObject(failure)
  await expect(openEngine(undefined, host({ DOCKER_HOST: url }))).rejects.toMatchObject(failure)
  await expect(openEngine(url, host({ TESTFLEET_INSECURE_ENGINE: '0' }))).rejects.toMatchObject(failure)
})

test('an engine without TLS is accepted if it is explicitly allowed', async () => {
  const url = 'tcp://engine.invalid:2375'
  const allowed = [
    await openEngine(url, host(), { isInsecureAllowed: true }),
    await openEngine(url, host({ TESTFLEET_INSECURE_ENGINE: '1' })),
  ]
  for (const engine of allowed) {
    expect(engine.location.url).toBe(url)
    engine.close()
  }
})

test.each(['tcp://127.0.0.1:2375', 'tcp://localhost:2375', 'tcp://[::1]:2375', 'https://engine.invalid', 'unix:///x'])(
  'an engine on this machine, or with TLS, is accepted: %s',
  async (url) => {
    const engine = await openEngine(url, host())
    engine.close()
  },
)

test('an unreadable docker configuration is reported once, even if nothing in it is needed', async () => {
  const warnings: string[] = []
  const onWarning = (message: string): unknown => warnings.push(message)
  const engine = await openEngine('unix:///x', host({ DOCKER_CONFIG: '/dev/null' }), { onWarning })
  engine.close()
  const message =
    '/dev/null/config.json cannot be read: a folder of its path is a file; it is ignored, including its logins, contexts and proxies'
  expect(warnings).toEqual([message])
})

test('TESTFLEET_ENGINE names an engine, before DOCKER_HOST and after the call itself', async () => {
  const environment = { TESTFLEET_ENGINE: 'local:/store', DOCKER_HOST: 'unix:///docker' }
  const find = (named?: string, more = {}) => findEngine(named, host({ ...environment, ...more }))
  await expect(find()).resolves.toMatchObject({ url: 'local:/store', because: 'TESTFLEET_ENGINE' })
  await expect(find('unix:///x')).resolves.toMatchObject({ url: 'unix:///x' })
  await expect(find('local')).resolves.toMatchObject({ url: 'local:/nowhere/.local/share/testfleet/local' })
  await expect(find(undefined, { TESTFLEET_ENGINE: '' })).resolves.toMatchObject({ because: 'DOCKER_HOST' })
  const socket = { url: 'unix:///y', because: 'TESTFLEET_ENGINE' }
  await expect(find(undefined, { TESTFLEET_ENGINE: 'unix:///y' })).resolves.toMatchObject(socket)
  const engine = await openEngine(undefined, host(environment))
  expect(engine.location.endpoint).toEqual({ kind: 'local', folder: '/store' })
  engine.close()
})
