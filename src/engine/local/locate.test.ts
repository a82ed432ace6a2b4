import { expect, test } from 'vitest'
import { isLocal, localFolder, locateLocal } from './locate.ts'

const host = { environment: {}, homeFolder: '/home/ann', platform: 'linux', userId: 1000 } as const

test('the local engine is named by its word alone, or with a folder', () => {
  expect(['local', 'LOCAL', 'local:', 'local:/x'].filter((name) => !isLocal(name))).toEqual([])
  expect(['', 'locals', 'context:local', 'unix:///local', 'localhost:2375'].filter(isLocal)).toEqual([])
})

test('root and each user have a folder of their own', () => {
  expect(localFolder({ ...host, userId: 0 })).toBe('/var/lib/testfleet/local')
  expect(localFolder(host)).toBe('/home/ann/.local/share/testfleet/local')
  expect(localFolder({ ...host, environment: { XDG_DATA_HOME: '/data' } })).toBe('/data/testfleet/local')
  expect(localFolder({ ...host, environment: { XDG_DATA_HOME: 'data' } })).toBe(
    '/home/ann/.local/share/testfleet/local',
  )
})

test('a location names the folder, and is on this machine', () => {
  const named = locateLocal('local:/tmp//store/', '--engine', host)
  const endpoint = { kind: 'local', folder: '/tmp/store' }
  expect(named).toEqual({ url: 'local:/tmp/store', because: '--engine', remoteHost: undefined, endpoint })
  expect(locateLocal('local', '--engine', host).endpoint.folder).toBe(localFolder(host))
})

test('a folder that is not absolute is refused, and so is every other system', () => {
  const failure = (hint: string) =>
    expect.objectContaining({ code: 'ENGINE_CONFIGURATION', hint: expect.stringContaining(hint) })
  expect(() => locateLocal('local:store', 'TESTFLEET_ENGINE', host)).toThrow(failure('local:/tmp/store'))
  expect(() => locateLocal('local', '--engine', { ...host, platform: 'darwin' })).toThrow(failure('Docker'))
})
