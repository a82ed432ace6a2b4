import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const web = createServer((incoming, answer) => void answer.end(`hello ${incoming.headers.host}`))
let port = 0

beforeAll(async () => {
  await once(web.listen(0, '127.0.0.1'), 'listening')
  port = (web.address() as AddressInfo).port
})
afterAll(() => once(web.close(), 'close'))

/** Returns what a Node with the hook prints for this code, in a module. */
async function print(routes: object, code: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: {
      NODE_OPTIONS: `--require ${JSON.stringify(join(import.meta.dirname, 'node-hook.cjs'))}`,
      TESTFLEET_NAMES: JSON.stringify(routes),
    },
  })
  return JSON.parse(stdout)
}

describe('a server with a reachable address', () => {
  const routes = { 'web.fleet.test': { address: '127.0.0.1' } }

  test('is found by every lookup', async () => {
    const code = `
      import dns, { lookup } from 'node:dns'
      import { lookup as promised } from 'node:dns/promises'
      import { promisify } from 'node:util'
      const call = (...words) => new Promise((settle) => lookup(...words, (error, ...rest) => settle(error?.code ?? rest)))
      const name = 'Web.Fleet.test.'
      console.log(JSON.stringify([
        await call(name), await call(name, 4), await call(name, { all: true }), await call(name, { family: 6 }),
        await promised(name), await promised(name, { all: true }), await promisify(dns.lookup)(name),
        await call('127.0.0.1'),
      ]))`
    const one = { address: '127.0.0.1', family: 4 }
    const plain = ['127.0.0.1', 4]
    expect(await print(routes, code)).toEqual([plain, plain, [[one]], 'ENOTFOUND', one, [one], one, plain])
  })

  test('is reached by fetch, http and sockets', async () => {
    const code = `
      import http from 'node:http'
      import net from 'node:net'
      const url = 'http://web.fleet.test:${port}/'
      const fetched = await (await fetch(url)).text()
      const got = await new Promise((settle) => http.get(url, (answer) => answer.on('data', (data) => settle(String(data)))))
      const socket = net.connect(${port}, 'web.fleet.test')
      await new Promise((settle) => socket.once('connect', settle))
      console.log(JSON.stringify([fetched, got, socket.remoteAddress]))
      process.exit()`
    const hello = `hello web.fleet.test:${port}`
    expect(await print(routes, code)).toEqual([hello, hello, '127.0.0.1'])
  })
})

describe('a server with only published ports', () => {
  test('is reached at its published ports by name and real port, and nowhere else', async () => {
    const routes = { 'web.fleet.test': { ports: { 80: { host: '127.0.0.1', port } } } }
    const code = `
      import http from 'node:http'
      import net from 'node:net'
      import { lookup } from 'node:dns/promises'
      const fetched = await (await fetch('http://web.fleet.test/')).text()
      const got = await new Promise((settle) => http.get('http://web.fleet.test/', (answer) => answer.on('data', (data) => settle(String(data)))))
      const reach = (...words) => new Promise((settle) => {
        const socket = net.connect(...words, () => settle(socket.remotePort)).on('error', ({ code }) => settle(code))
      })
      console.log(JSON.stringify([
        fetched, got, await reach(80, 'web.fleet.test'), await reach({ host: 'web.fleet.test', port: 80 }),
        await reach(81, 'web.fleet.test'), await reach(${port}, '127.0.0.1'),
        await lookup('web.fleet.test').catch(({ code }) => code),
      ]))
      process.exit()`
    const hello = 'hello web.fleet.test'
    expect(await print(routes, code)).toEqual([hello, hello, port, port, 'ECONNREFUSED', port, 'ENOTFOUND'])
  })
})
