import { expect, test } from 'vitest'
import { loadText } from '../../../tests/support/load-text.ts'
import { describeMemory, refuseSharedParts } from './prepare-shards.ts'

const GIB = 1024 ** 3

async function refuse(line: string, shards: number, bind?: 'free' | 'fixed'): Promise<void> {
  const fleet = await loadText(`name: fleet\nservers:\n  web:\n    image: debian:bookworm-slim\n    ${line}\n`)
  refuseSharedParts(fleet, [...fleet.servers.values()], { shards, bind })
}

test('shards that would take the same port of this machine are refused, at the line of the port', async () => {
  const line = 'ports: [80, { container: 81, host: 8081 }]'
  await expect(refuse(line, 4)).rejects.toMatchObject({
    code: 'USAGE',
    message: '4 shards cannot run at once: web: shards cannot share the port 8081 of this machine',
    hint: 'Use a free port, or a read-only mount or a volume.',
    server: 'web',
    at: { line: 5, column: 17 },
  })
  await refuse(line, 1)
  await refuse('ports: [80]', 4)
})

test('shards with fixed ports are refused', async () => {
  await expect(refuse('ports: [80]', 2, 'fixed')).rejects.toMatchObject({
    message: '2 shards cannot run at once: web: shards cannot share the port 80 of this machine',
    hint: expect.stringMatching(/^Leave out .*fixed/),
    at: undefined,
  })
  await refuse('ports: []', 2, 'fixed')
})

test('an external server is the same for all shards, and a program of this machine has one port', async () => {
  const fleet = await loadText(
    'name: fleet\nservers: { db: { preset: postgresql, external: "postgres://a@127.0.0.1/a" } }\n',
  )
  const [db] = fleet.servers.values()
  if (db === undefined) throw new Error('db is missing')
  refuseSharedParts(fleet, [db], { shards: 2, bind: 'fixed' })
  const program = { ...db, runs: { kind: 'process', command: ['true'], folder: '/' } } as const
  expect(() => refuseSharedParts(fleet, [program], { shards: 2 })).toThrow('db: shards cannot share the port 5432 ')
})

test('shards that would write to the same folder are refused', async () => {
  await expect(refuse('mounts: [{ from: ., to: /a, writable: true }]', 2)).rejects.toThrow(
    '2 shards cannot run at once: web: shards would all write to the mount at /a',
  )
})

test('more memory than the engine has is a warning that says how many shards fit', () => {
  const servers = [{ limits: { memoryBytes: 2 * GIB } }, { limits: {} }, { limits: { memoryBytes: GIB } }]
  expect(describeMemory(servers, 4, 8 * GIB)).toBe(
    'the servers of 4 shards may use 12g of memory, and the engine has 8g: 2 fit',
  )
  expect(describeMemory(servers, 2, 4 * GIB - 1)).toMatch(/ 6g of memory, and the engine has 4g: 1 fits$/)
  expect(describeMemory(servers, 2, 6 * GIB)).toBeUndefined()
  expect(describeMemory(servers, 4, 0)).toBeUndefined()
  expect(describeMemory([{ limits: {} }], 4, GIB)).toBeUndefined()
})
