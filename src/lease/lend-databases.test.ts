import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { type Behaviour, hook, programTools, targetOf } from '../../tests/support/fake-program.ts'
import { TestfleetError } from '../model/failures.ts'
import type { ServerRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { lendDatabases } from './lend-databases.ts'

/** Lends databases of a server in memory, which the engine describes in this way. */
function openLending(inspectServer: () => Promise<unknown>, exec?: () => Promise<never>) {
  const databases = new Set<string>()
  const onLine: Behaviour['onLine'] = (line, program) => {
    const [verb, name = ''] = line.split(' ')
    if (verb === 'print') program.print(`${name}\n`)
    if (verb === 'copy') databases.add(name)
    if (verb === 'drop') databases.delete(name)
  }
  const { tools } = programTools({ sql: { onLine } })
  const recipe = { name: 'own', console: hook(['sql']), mark: 'print ${mark}', template: [] }
  const database = { ...recipe, create: ['copy ${database}'], drop: ['drop ${database}'] }
  const { spec } = targetOf({ isolation: 'database', database })
  const reach = () => ({ ip: '', endpoints: new Map() })
  const runtime = { ...tools.runtime, inspectServer, reach, ...(exec && { exec }) }
  const more = { container: 'c', secrets: [], hostname: 'db.shop.test', ready: [], ports: [], export: {} }
  const record = { ...spec, ...more } as unknown as ServerRecord
  const parent = { name: 'shop', fleet: 'shop', domain: undefined } as unknown as StoredRecord
  return {
    databases,
    lendable: lendDatabases('db', record, { size: 1, parent }, { ...tools, runtime } as unknown as Tools),
  }
}

const running = { id: 'c', state: 'running', labels: {}, published: [], networks: [] }
const signal = new AbortController().signal

test('a database that cannot be described is dropped, and not left behind', async () => {
  // The engine's answer lacks what a description needs.
  const { databases, lendable } = openLending(async () => ({
    ...running,
    get labels(): never {
      throw new Error('there are no labels')
    },
  }))
  await eventually(() => expect(databases.size).toBe(1))
  const [first] = databases
  await expect(lendable.take(signal)).rejects.toThrow('there are no labels')
  await eventually(() => expect(databases.has(first ?? '')).toBe(false))
  expect(lendable.status()).toMatchObject({ lent: 0 })
  await lendable.close()
  expect([...databases]).toEqual([])
})

test('an engine that did not answer once is asked again by the next lease', async () => {
  let isDown = true
  const { lendable } = openLending(async () => {
    if (isDown) throw new Error('the engine does not answer')
    return running
  })
  await expect(lendable.take(signal)).rejects.toThrow('the engine does not answer')
  isDown = false
  const lent = await lendable.take(signal)
  expect(lent).toMatchObject({ copy: 'db', session: 'shop', database: expect.stringMatching(/^lease_/) })
  lendable.give(lent)
  await lendable.close()
})

test('a server that does not run lends nothing, and says so, until it is started again', async () => {
  let details: object = running
  const { databases, lendable } = openLending(async () => details)
  lendable.give(await lendable.take(signal))
  details = { ...running, state: 'exited', exitCode: 137 }
  lendable.containerEnded('other')
  lendable.give(await lendable.take(signal))
  lendable.containerEnded('c')
  await eventually(() => expect(databases.size).toBeGreaterThan(0))
  await expect(lendable.take(signal)).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: 'db does not run: it ended with exit code 137',
    hint: `Run ${say('control', 'start', 'db')}.`,
  })
  expect(lendable.status()).toMatchObject({ lent: 0 })
  details = running
  lendable.give(await lendable.take(signal))
  await lendable.close()
})

test('a console that cannot be opened in a server that has ended is reported as its end', async () => {
  let details: object = running
  const { lendable } = openLending(
    async () => details,
    async () => {
      details = { ...running, state: 'exited', exitCode: 1 }
      throw new TestfleetError('ENGINE_REFUSED', 'Container 603f is not running')
    },
  )
  await expect(lendable.take(signal)).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: 'db does not run: it ended with exit code 1',
  })
  await lendable.close()
})

test('a lease that has its database already keeps it when the server is to be lent in another way', async () => {
  let retired: Promise<void> | undefined
  const { databases, lendable } = openLending(async () => ({
    ...running,
    // Read when the lease is described.
    get labels(): object {
      retired ??= lendable.retire()
      return {}
    },
  }))
  const lent = await lendable.take(signal)
  expect(retired).toBeDefined()
  await new Promise(setImmediate)
  expect(databases.has(lent.database ?? '')).toBe(true)
  lendable.give(lent)
  await retired
  expect([...databases]).toEqual([])
})

test('what is lent stays when the server is to be lent in another way, until it is given back', async () => {
  const { databases, lendable } = openLending(async () => running)
  const lent = await lendable.take(signal)
  let isRetired = false
  const retired = lendable.retire().then(() => {
    isRetired = true
  })
  await expect(lendable.take(signal)).rejects.toMatchObject({ code: 'NO_SESSION' })
  await eventually(() => expect(databases.size).toBeGreaterThan(0))
  expect({ isRetired, isThere: databases.has(lent.database ?? '') }).toEqual({ isRetired: false, isThere: true })
  lendable.give(lent)
  await retired
  expect([...databases]).toEqual([])
})
