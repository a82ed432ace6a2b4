import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { label } from '../model/labels.ts'
import type { Endpoint } from '../model/running.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { FleetNames } from './fleet-names.ts'

const web = createServer((incoming, answer) => void answer.end(`hello ${incoming.headers.host}`))
let port = 0

beforeAll(async () => {
  await once(web.listen(0, '127.0.0.1'), 'listening')
  port = (web.address() as AddressInfo).port
})
afterAll(() => once(web.close(), 'close'))

/** The names of a fleet with one server, that is reached in this way. */
function open(reach: { readonly reachableIp?: string; readonly endpoints?: Readonly<Record<string, Endpoint>> }) {
  let asked = 0
  const server = { hostname: 'web.fleet.test', aliases: ['Pay', 'localhost'], container: 'c1', ports: [] }
  const record = { id: 's1', servers: { web: server } } as unknown as StoredRecord
  const container = { id: 'c1', state: 'running', labels: { [label.session]: 's1' } }
  const tools = {
    signal: new AbortController().signal,
    sessions: { find: async () => record },
    runtime: {
      async listServers() {
        asked += 1
        return [container]
      },
      reach: () => ({ ...reach, endpoints: new Map(Object.entries(reach.endpoints ?? {})) }),
    },
  } as unknown as Tools
  return { names: new FleetNames(record, undefined, tools), asked: () => asked }
}

const lookUp = (names: FleetNames, name: string, options: Parameters<FleetNames['lookup']>[1]) =>
  new Promise((settle) => names.lookup(name, options, (error, ...found) => settle(error?.code ?? found)))

const ask = (names: FleetNames, url: string) =>
  new Promise<string>((resolve, reject) => {
    const read = (answer: IncomingMessage) => answer.on('data', (data) => resolve(String(data)))
    get(url, { agent: names.agents.http }, read).on('error', reject)
  })

describe('a server with an address', () => {
  const here = { reachableIp: '127.0.0.1' }

  test('is found by lookup, in all its forms, with one question to the engine', async () => {
    const { names, asked } = open(here)
    expect(await lookUp(names, 'web.fleet.test', {})).toEqual(['127.0.0.1', 4])
    expect(await lookUp(names, 'WEB.fleet.test.', { all: true })).toEqual([[{ address: '127.0.0.1', family: 4 }]])
    expect(await lookUp(names, 'pay', 4 as never)).toEqual(['127.0.0.1', 4])
    expect(await lookUp(names, 'pay', { family: 6 })).toBe('ENOTFOUND')
    expect(asked()).toBe(1)
    expect(await lookUp(names, '127.0.0.2', {})).toEqual(['127.0.0.2', 4])
    expect(await lookUp(names, 'localhost', { family: 4 })).toEqual(['127.0.0.1', 4])
    expect(await lookUp(names, 'other.fleet.test', {})).toMatch(/^E/)
    expect(asked()).toBe(1)
  })

  test('is reached by sockets, http and fetch', async () => {
    const { names } = open(here)
    const socket = connect({ host: 'web.fleet.test', port, lookup: names.lookup })
    await once(socket, 'connect')
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
    const url = `http://web.fleet.test:${port}/`
    expect(await ask(names, url)).toBe(`hello web.fleet.test:${port}`)
    expect(await (await names.fetch(url)).text()).toBe(`hello web.fleet.test:${port}`)
    expect(await ask(names, `http://127.0.0.1:${port}/`)).toBe(`hello 127.0.0.1:${port}`)
  })
})

describe('a server that only publishes ports', () => {
  test('is reached at its published ports by its name and the real port, and at no other port', async () => {
    const { names } = open({ endpoints: { '80/tcp': { host: '127.0.0.1', port } as Endpoint } })
    expect(await ask(names, 'http://web.fleet.test/')).toBe('hello web.fleet.test')
    expect(await (await names.fetch('http://pay/x')).text()).toBe('hello pay')
    await expect(ask(names, 'http://web.fleet.test:81/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const failed = await names.fetch('http://web.fleet.test:81/').catch((error) => error.cause)
    expect(failed).toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringContaining('it publishes no such port'),
    })
    expect(await lookUp(names, 'web.fleet.test', {})).toBe('ENOTFOUND')
  })
})
