import { expect, test } from 'vitest'
import type { NamedServer } from '../model/running.ts'
import { describeNames } from './process-variables.ts'

const port = { container: 3000, protocol: 'tcp', host: undefined, address: undefined } as const
const app = { name: 'app', hostname: 'app.shop.test', aliases: ['shop'], ports: [port] }
const host = { nodeHookFile: '/hook.cjs', groupId: 7 }
const cache: NamedServer = { server: 'cache', names: ['cache.shop.test'], address: '10.0.0.2', endpoints: {} }
const describe = (others: readonly NamedServer[]) => describeNames(app, others, 'shop.test', host)

test('a process reaches what it depends on, and itself, by name', () => {
  const names = ['app.shop.test', 'shop', 'shop.shop.test']
  const endpoints = { '3000/tcp': { host: '127.0.0.1', port: 3000 } }
  expect(describe([cache])).toEqual({
    domain: 'shop.test',
    servers: [cache, { server: 'app', names, address: '127.0.0.1', endpoints }],
    ...host,
  })
})

test('a process that depends on no server with a name gets no names', () => {
  expect(describe([])).toBeUndefined()
})
