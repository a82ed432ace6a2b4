import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadFleet } from './config/load-fleet.ts'
import { currentHost } from './current-host.ts'
import { nameImages } from './name-images.ts'

const text = `
name: shop
base: { packages: [curl] }
servers:
  db:
    image: db:1
    secrets: { KEY: { generate: 9 } }
    bake: { run: [[seed]], readsSecrets: true }
    ports: [5432]
  web:
    build: { copy: [{ content: hello, to: /hello }] }
    command: [sleep, '600']
  cache: { image: cache:1 }
`

async function keyOf(servers: readonly string[] = [], ...changes: readonly (readonly [string, string])[]) {
  const value = parse(changes.reduce((all, [from, to]) => all.replace(from, to), text))
  const fleet = await loadFleet({ kind: 'object', value, folder: import.meta.dirname }, currentHost())
  return nameImages(fleet, servers)
}

test('the key of the images is the name of the fleet and a digest, the same each time', async () => {
  const key = await keyOf()
  expect(key).toMatch(/^shop-[0-9a-f]{16}$/)
  expect(await keyOf()).toBe(key)
  expect(await keyOf(['db', 'cache', 'web'])).toBe(key)
})

test.each([
  ['a package of the base', 'curl', 'wget'],
  ['a copied text', 'hello, to', 'bye, to'],
  ['the name of an image', 'cache:1', 'cache:2'],
  ['an image that is baked', 'db:1', 'db:2'],
  ['a command that is baked', 'seed', 'sow'],
  ['what a baked server is given', 'generate: 9', 'generate: 10'],
])('the key changes with %s', async (_, from, to) => {
  expect(await keyOf([], [from, to])).not.toBe(await keyOf())
})

test('the key stays when no image changes', async () => {
  expect(await keyOf([], ["'600'", "'700'"])).toBe(await keyOf())
  expect(await keyOf(['web'], ['cache:1', 'cache:2'])).toBe(await keyOf(['web']))
})

test('servers without a container have no image in the key', async () => {
  const more =
    '  cache: { image: cache:1 }\n  app: { process: [npm, start] }\n  staging: { external: "tcp://127.0.0.1:80" }\n'
  expect(await keyOf([], ['  cache: { image: cache:1 }\n', more])).toBe(await keyOf())
})

test('some servers have a key of their own', async () => {
  expect(await keyOf(['web'])).not.toBe(await keyOf())
  await expect(keyOf(['nobody'])).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' })
})
