import { expect, test } from 'vitest'
import { findEndOrder } from './end-order.ts'

const dependencies: Readonly<Record<string, readonly string[]>> = {
  app: ['proxy', 'auth'],
  proxy: ['db'],
  auth: ['db'],
  one: ['two', 'base'],
  two: ['one', 'base'],
}

function order(all: readonly string[], graceful: readonly string[]): [string, readonly string[]][] {
  const servers = all.map((name) => ({ id: `c-${name}`, name, isGraceful: graceful.includes(name) }))
  return [...findEndOrder(servers, (name) => dependencies[name] ?? [])]
}

test('nothing waits when no server ends gracefully', () => {
  expect(order(['db', 'proxy', 'auth', 'app'], [])).toEqual(
    ['db', 'proxy', 'auth', 'app'].map((name) => [`c-${name}`, []]),
  )
})

test('all that a graceful server uses, through others too, waits for its end, and nothing else does', () => {
  expect(order(['db', 'mail', 'proxy', 'app'], ['app', 'mail'])).toEqual([
    ['c-mail', []],
    ['c-app', []],
    ['c-db', ['c-app']],
    ['c-proxy', ['c-app']],
  ])
})

test('a graceful server waits for the graceful ones that use it, and comes after them', () => {
  expect(order(['db', 'auth', 'app'], ['db', 'auth', 'app'])).toEqual([
    ['c-app', []],
    ['c-auth', ['c-app']],
    ['c-db', ['c-auth', 'c-app']],
  ])
})

test('a server that is used through one that is gone waits, too', () => {
  expect(order(['db', 'app'], ['app'])).toEqual([
    ['c-app', []],
    ['c-db', ['c-app']],
  ])
})

test('servers that depend on each other do not wait for each other', () => {
  expect(order(['base', 'one', 'two'], ['one', 'two'])).toEqual([
    ['c-one', []],
    ['c-two', []],
    ['c-base', ['c-one', 'c-two']],
  ])
})
