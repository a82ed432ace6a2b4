import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Host } from '../../model/host.ts'
import { describeLocation } from '../dial/dial.ts'
import { fallBack, findWithSessions } from './fall-back.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-fall-back-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const host = (more: Partial<Host> = {}): Host =>
  ({ environment: { XDG_DATA_HOME: folder }, homeFolder: folder, platform: 'linux', userId: 4321, ...more }) as Host

const searched = (path: string) => describeLocation({ kind: 'socket', path }, 'default socket', [`unix://${path}`])

test('nothing replaces an engine that takes connections', async () => {
  const path = join(folder, 'engine.sock')
  const server = createServer().listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  const location = searched(path)
  expect(await fallBack(location, host())).toBe(location)
  await new Promise((resolve) => server.close(resolve))
})

test('nothing replaces an engine that was named, nor on another system', async () => {
  const named = describeLocation({ kind: 'socket', path: '/no/such.sock' }, 'DOCKER_HOST')
  expect(await fallBack(named, host())).toBe(named)
  const location = searched('/no/such.sock')
  expect(await fallBack(location, host({ platform: 'darwin' }))).toBe(location)
})

test('when no engine answers, the local one is used, or a failure can say why it does not', async () => {
  const location = await fallBack(searched('/no/such.sock'), host())
  // It is not used without its name yet.
  if (location.localProblem === undefined && location.endpoint.kind === 'socket') return
  if (location.endpoint.kind === 'local') {
    expect(location.insteadOf).toBe('unix:///no/such.sock (the socket does not exist)')
    expect(location.url).toBe(`local:${folder}/testfleet/local`)
  } else {
    expect(location.localProblem).toMatch(/\w/)
    expect(location.url).toBe('unix:///no/such.sock')
  }
})

test('a folder with the record of a session is looked at, unless an engine is named', async () => {
  const location = searched('/no/such.sock')
  expect(await findWithSessions(location, host())).toBeUndefined()
  await mkdir(join(folder, 'testfleet/local/volumes/cache'), { recursive: true })
  expect(await findWithSessions(location, host())).toBeUndefined()
  await mkdir(join(folder, 'testfleet/local/volumes/testfleet-0123.1'))
  expect((await findWithSessions(location, host()))?.endpoint.folder).toBe(join(folder, 'testfleet/local'))
  expect(await findWithSessions(describeLocation(location.endpoint, '--engine'), host())).toBeUndefined()
})
