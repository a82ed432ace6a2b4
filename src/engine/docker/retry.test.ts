import { rename } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'
import { plainContainer } from '../../model/container.ts'

type Bad = (response: ServerResponse) => void

const cut: Bad = (response) => void response.destroy()
const error500: Bad = (response) => void response.writeHead(500).end('{"message":"no"}')
const halfJson: Bad = (response) => void response.end('[{"Id":')
const cutInside: Bad = (response) => {
  response.writeHead(200, { 'Content-Length': '100' }).write('[')
  setTimeout(() => response.destroy(), 10)
}

const misbehaviours: [string, Bad][] = [
  ['is cut', cut],
  ['is cut in its answer', cutInside],
  ['is answered with 500', error500],
  ['is answered with half a JSON', halfJson],
]

describe.concurrent('a repeatable request', () => {
  test.each(misbehaviours)('that %s is made again', async (_, misbehave) => {
    let count = 0
    await using fake = await fakeDocker((__, response) => (++count < 3 ? misbehave(response) : response.end('[]')))
    expect(await fake.engine.listContainers({})).toEqual([])
    expect(count).toBe(3)
  })

  test.each(misbehaviours)('that %s every time fails', async (_, misbehave) => {
    let count = 0
    await using fake = await fakeDocker((__, response) => {
      count++
      misbehave(response)
    })
    const code = misbehave === error500 ? 'ENGINE_REFUSED' : 'ENGINE_LOST'
    await expect(fake.engine.listContainers({})).rejects.toMatchObject({ code })
    expect(count).toBe(5)
  })

  test('ends within its deadline, including all tries', async () => {
    let count = 0
    await using fake = await fakeDocker((_, response) => {
      count++
      cut(response)
    })
    await expect(fake.engine.listContainers({}, { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'ENGINE_LOST' })
    // The fifth try comes after 2 s.
    expect(count).toBeLessThan(5)
  })

  test('is not repeated once its signal has fired', async () => {
    await using fake = await fakeDocker((_, response) => cut(response))
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 100)
    await expect(fake.engine.listContainers({}, { signal: stop.signal })).rejects.toThrow('enough')
  })

  test('waits for an engine that restarts', async () => {
    await using fake = await fakeDocker((_, response) => response.end('[]'))
    await fake.engine.listContainers({})
    const path = new URL(fake.engine.location.url).pathname
    await rename(path, `${path}.away`)
    fake.engine.close()
    const listed = fake.engine.listContainers({})
    await sleep(1500)
    await rename(`${path}.away`, path)
    expect(await listed).toEqual([])
  })

  test.each([
    ['a volume', 'createVolume'],
    ['a stop', 'stopContainer'],
  ] as const)('is %s that was cut, but not one that was refused', async (_, verb) => {
    const misbehaviour = { current: cut }
    let count = 0
    await using fake = await fakeDocker((__, response) => {
      if (++count === 1) misbehaviour.current(response)
      else response.end('{}')
    })
    const call = (): Promise<unknown> =>
      verb === 'createVolume' ? fake.engine.createVolume('x', {}) : fake.engine.stopContainer('x', 0)
    await call()
    expect(count).toBe(2)
    misbehaviour.current = error500
    count = 0
    await expect(call()).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    expect(count).toBe(1)
  })
})

describe.concurrent('a start whose connection was cut', () => {
  test.each([
    ['created', 2, undefined],
    ['running', 1, undefined],
    ['exited', 1, 'ENGINE_LOST'],
  ])('of a container that is %s since then is made %d times', async (status, times, code) => {
    let count = 0
    await using fake = await fakeDocker((request, response) => {
      if (request.method === 'GET') response.end(JSON.stringify({ Id: 'x', State: { Status: status } }))
      else if (++count === 1) response.destroy()
      else response.writeHead(204).end()
    })
    const started = fake.engine.startContainer('x')
    if (code === undefined) await started
    else await expect(started).rejects.toMatchObject({ code })
    expect(count).toBe(times)
  })
})

describe.concurrent('a request that must not be repeated', () => {
  test.each([
    ['a container', '/containers/create'],
    ['a network', '/networks/create'],
    ['a command', '/exec'],
    ['a new name', '/rename'],
  ])('is %s, and is made once', async (what, path) => {
    await using fake = await fakeDocker((_, response) => cut(response))
    const { engine } = fake
    const calls: Record<string, () => Promise<unknown>> = {
      'a container': () => engine.createContainer(spec),
      'a network': () => engine.createNetwork('x', {}),
      'a command': () => engine.exec('x', { command: ['true'] }),
      'a new name': () => engine.renameContainer('x', 'y'),
    }
    await expect(calls[what]?.()).rejects.toMatchObject({ code: 'ENGINE_LOST' })
    expect(fake.requests.filter((request) => request.includes(path))).toHaveLength(1)
  })
})

const spec = {
  ...plainContainer,
  name: 'x',
  image: 'x',
  hostname: 'x',
  labels: {},
  network: { name: 'x', aliases: [] },
}
