import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { type Behaviour, hook, programTools, targetOf } from '../../tests/support/fake-program.ts'
import { openDatabases } from './database.ts'

/** A console that has databases: it prints marks, and ends at a line that it does not know. */
function openServer(more: Behaviour['onLine'] = () => {}) {
  const databases = new Set<string>()
  const lines: string[] = []
  const onLine: Behaviour['onLine'] = (line, program) => {
    lines.push(line)
    const [verb, name = '', from] = line.split(' ')
    if (verb === 'print') program.print(`${name}\n`)
    if (verb === 'copy' && from !== undefined) databases.add(name)
    if (verb === 'drop') databases.delete(name)
    more(line, program)
  }
  return { ...programTools({ sql: { onLine } }), databases, lines }
}

const recipe = { name: 'own', console: hook(['sql']), mark: 'print ${mark}', template: ['copy ${template} ${name}'] }
const database = {
  ...recipe,
  create: ['copy ${database} ${template}', 'grant ${database}'],
  drop: ['drop ${database}'],
}
const target = targetOf({ isolation: 'database', database })

test('databases are copies of one template, made before they are asked for', async () => {
  const { tools, databases, lines } = openServer()
  const made = openDatabases(target, { size: 3 }, tools)
  await expect.poll(() => databases.size).toBe(4)
  expect(lines.filter((line) => line.endsWith(' own'))).toEqual(['copy lease_template own'])
  const [one, other] = [await made.take(), await made.take()]
  expect(one.name).toMatch(/^lease_[0-9a-f]{16}$/)
  expect(databases).toContain(one.name)
  expect(other.name).not.toBe(one.name)
  expect(one.spec.lending?.database?.name).toBe(one.name)
  for (const name of [one.name, one.name, 'own']) made.release(name)
  await eventually(() => expect(made.status()).toEqual({ ready: 3, dropping: 0 }))
  expect(lines.filter((line) => line.startsWith('drop'))).toEqual([`drop ${one.name}`])
  await made.close()
  expect([...databases]).toEqual(['lease_template'])
  await expect(made.take()).rejects.toThrow('db lends no databases any more')
})

test('the name of a leased database is in the variables of exec', async () => {
  const { tools } = openServer()
  const execEnvironment = {
    PGDATABASE: { kind: 'text', text: 'own', isDatabase: true },
    PGUSER: { kind: 'text', text: 'own' },
  } as const
  const made = openDatabases({ ...target, spec: { ...target.spec, execEnvironment } }, { size: 1 }, tools)
  const { name, spec } = await made.take()
  expect(spec.execEnvironment).toMatchObject({ PGDATABASE: { text: name }, PGUSER: { text: 'own' } })
  await made.close()
})

test('a line that fails is reported with the last words of the console, and can succeed later', async () => {
  let isBroken = true
  const { tools } = openServer((line, { print, end }) => {
    if (!isBroken || !line.startsWith('grant')) return
    print('ERROR: no such user\n', 'stderr')
    end(3)
  })
  const made = openDatabases(target, { size: 1 }, tools)
  await expect(made.take()).rejects.toMatchObject({
    code: 'DATABASE_FAILED',
    server: 'db',
    message: 'db: making a database ended its console with exit code 3',
    output: ['ERROR: no such user'],
  })
  isBroken = false
  expect((await made.take()).name).toMatch(/^lease_/)
  await made.close()
})

test('those who wait are served in turn, and one who gives up leaves its place', async () => {
  const { tools } = openServer()
  const made = openDatabases(target, { size: 1 }, tools)
  const abort = new AbortController()
  const asked = [made.take(), made.take({ signal: abort.signal }), made.take(), made.take()]
  abort.abort(new Error('enough'))
  await expect(asked[1]).rejects.toThrow('enough')
  const names = await Promise.all([asked[0], asked[2], asked[3]].map(async (one) => (await one)?.name))
  expect(new Set(names).size).toBe(3)
  await made.close()
})

test('clients that leave while they wait do not make the stock exceed its size', async () => {
  const { tools, databases } = openServer()
  const made = openDatabases(target, { size: 2 }, tools)
  const abort = new AbortController()
  const asked = Array.from({ length: 20 }, () => made.take({ signal: abort.signal }))
  abort.abort(new Error('killed'))
  for (const one of asked) await expect(one).rejects.toThrow('killed')
  await eventually(() => expect(made.status()).toEqual({ ready: 2, dropping: 0 }))
  expect(databases.size).toBe(1 + 2)
  await made.close()
})

test('a database that could not be dropped is dropped when the databases are closed', async () => {
  let isBroken = true
  const { tools, databases } = openServer((line, { end }) => {
    if (isBroken && line === 'disconnect') end(3)
  })
  const drop = ['disconnect', ...database.drop]
  const made = openDatabases(targetOf({ isolation: 'database', database: { ...database, drop } }), { size: 1 }, tools)
  const { name } = await made.take()
  made.release(name)
  await eventually(() => expect(made.status()).toEqual({ ready: 1, dropping: 1 }))
  isBroken = false
  await made.close()
  expect(databases).not.toContain(name)
})

test('a database that the recipe can close is closed at once, and dropped later', async () => {
  const { tools, databases, lines } = openServer((line, { print }) => {
    if (line.startsWith('close')) print('4096\n')
  })
  const close = ['close ${database}']
  const made = openDatabases(targetOf({ isolation: 'database', database: { ...database, close } }), { size: 1 }, tools)
  const { name } = await made.take()
  made.release(name)
  await eventually(() => expect(lines).toContain(`close ${name}`))
  await eventually(() => expect(databases).not.toContain(name))
  expect(made.status().dropping).toBe(0)
  expect(lines.indexOf(`close ${name}`)).toBeLessThan(lines.indexOf(`drop ${name}`))
  await made.close()
})

test('a database whose size is not printed when it is closed is dropped at once', async () => {
  const { tools, lines } = openServer()
  const close = ['close ${database}']
  const made = openDatabases(targetOf({ isolation: 'database', database: { ...database, close } }), { size: 1 }, tools)
  const { name } = await made.take()
  made.release(name)
  await eventually(() =>
    expect(lines.filter((line) => line.endsWith(name)).slice(-2)).toEqual([`close ${name}`, `drop ${name}`]),
  )
  await made.close()
})

test('databases are left to a server that is ending, and nothing waits for one that it is still making or dropping', async () => {
  let isHanging = false
  const silent: Behaviour['onLine'] = (line, { print }) => {
    if (!isHanging && line.startsWith('print')) print(`${line.slice('print '.length)}\n`)
  }
  const { tools, ended } = programTools({ sql: { onLine: silent } })
  const made = openDatabases(target, { size: 1 }, tools)
  const [one] = [await made.take(), await made.take()]
  await expect.poll(() => made.status().ready).toBe(1)
  isHanging = true
  made.release(one.name)
  const waiting = Promise.allSettled([made.take(), made.take()])
  await made.close({ isServerEnding: true })
  expect((await waiting).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(new Set(ended)).toEqual(new Set(['sql']))
})
