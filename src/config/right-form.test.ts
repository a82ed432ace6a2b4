import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { TestfleetError } from '../model/failures.ts'
import { loadFleet } from './load-fleet.ts'

const folder = mkdtempSync(join(tmpdir(), 'right-form-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function mistakesOf(source: string | object): Promise<string[]> {
  const file = join(folder, 'testfleet.yaml')
  if (typeof source === 'string') writeFileSync(file, source)
  const host = { ...currentHost(), workingFolder: folder }
  const origin =
    typeof source === 'string'
      ? ({ kind: 'file', named: file } as const)
      : ({ kind: 'object', value: source, folder } as const)
  const failure: unknown = await loadFleet(origin, host).catch((error) => error)
  if (!(failure instanceof TestfleetError)) throw new Error('the fleet file has no mistake')
  return (failure.mistakes ?? []).map(({ at, field, message }) => `${at.column} ${field}: ${message}`)
}

test.each([
  [
    'servers: { a: { image: a, standby: 2 } }',
    '27 servers.a.standby: unknown key; it belongs to the top level of the file',
  ],
  [
    'servers: { a: { build: { base: {} } } }',
    '26 servers.a.build.base: unknown key; it belongs to the top level of the file',
  ],
  [
    'servers: { a: { build: { ports: [80] } } }',
    '26 servers.a.build.ports: unknown key; it belongs to the server itself',
  ],
  ['ports: [80]\nservers: { a: { image: a } }', '1 ports: unknown key; it belongs to a server, below `servers`'],
  ['servers: { a: { image: a, prots: [80] } }', '27 servers.a.prots: unknown key; did you mean `ports`?'],
  [
    'servers: { a: { image: a, limits: { memory: 512 } } }',
    '45 servers.a.limits.memory: must be at least 6m; a number without a unit is in bytes: write 512m for MiB, not 512',
  ],
  ['servers: { a: { image: a, limits: { memory: 5m } } }', '45 servers.a.limits.memory: must be at least 6m, not "5m"'],
  ['servers: { a: { image: a, limits: { memory: 0 } } }', '45 servers.a.limits.memory: must be at least 6m, not 0'],
  [
    'servers: { a: { image: a, limits: { memory: 0m } } }',
    '45 servers.a.limits.memory: must be a size of at least one byte and at most 8192t, not "0m"',
  ],
  ['servers: { a: { image: a, readyTimeout: 0 } }', '41 servers.a.readyTimeout: must be from 1 ms to 24 days, not 0'],
  ['servers: { a: { image: a, readyTimeout: -1 } }', '41 servers.a.readyTimeout: must be from 1 ms to 24 days, not -1'],
  [
    'servers: { a: { image: a }, b: { image: b }, c: { image: c, dependsOn: [database] } }',
    '73 servers.c.dependsOn[0]: there is no server `database`; there are: a, b',
  ],
])('a mistake is reported with what fixes it: %s', async (text, mistake) => {
  expect(await mistakesOf(`${text}\n`)).toEqual([mistake])
})

describe('a value of the wrong shape is reported with the right one', () => {
  test.each([
    ['bake: psql -c foo', '[[psql, -c, foo]]'],
    ['bake: yes', 'true'],
    ['bake: { run: psql -c foo }', '[[psql, -c, foo]]'],
    ['postStart: seed --all', '[[seed, --all]]'],
    ['reset: flush', '[[flush]]'],
    ["command: nginx -g 'daemon off;'", '[nginx, -g, "daemon off;"]'],
    ['command: cat < in | sort', '[sh, -c, "cat < in | sort"]'],
    ['entrypoint: /start', '[/start]'],
    ['command: { a: b }', undefined],
    ['command: [sleep, 600]', '"600"'],
    ['command: 600', '["600"]'],
    ['ready: [{ exec: pg_isready -q }]', '[pg_isready, -q]'],
    ['ready: { tcp: 80 }', '[{ tcp: 80 }]'],
    ['dependsOn: db', '[db]'],
    ['dependsOn: db, cache', '[db, cache]'],
    ['dependsOn: { db: { condition: service_healthy } }', '[db]'],
    ['ports: 80', '[80]'],
    ['ports: "80"', '[80]'],
    ['ports: 80, 443', '[80, 443]'],
    ['ports: "8080:80"', '[{ container: 80, host: 8080 }]'],
    ['ports: eighty', undefined],
    ['pool: "4"', '4'],
    ['pool: four', undefined],
    ['capAdd: NET_ADMIN', '[NET_ADMIN]'],
    ['environment: [A=1, B=yes]', '{ A: "1", B: "yes" }'],
    ['limits: { cpus: "2" }', '2'],
    ['mounts: { from: ., to: /x }', '[{ from: ., to: /x }]'],
    ['readOnly: "true"', 'true'],
    [`command: ${'x'.repeat(200)}`, undefined],
    ['init: "a\\u202eb"', undefined],
  ])('%s', async (line, form) => {
    const [mistake, ...others] = await mistakesOf(
      `servers:\n  db: { image: a }\n  cache: { image: a }\n  web:\n    image: a\n    ${line}\n`,
    )
    expect(others).toEqual([])
    expect(mistake).toMatch(/: must be /)
    expect(mistake?.split('; write ')[1]).toBe(form)
  })

  test.each([
    ['bake: [psql, -c, foo]', '11 servers.web.bake', '[[psql, -c, foo]]'],
    ['postStart: ["seed --all", migrate]', '16 servers.web.postStart', '[[seed, --all], [migrate]]'],
    ['reset: [flush]', '12 servers.web.reset', '[[flush]]'],
  ])('in one message for a command where a list of commands is wanted: %s', async (line, at, form) => {
    expect(await mistakesOf(`servers:\n  web:\n    image: a\n    ${line}\n`)).toEqual([
      `${at}: must be a list of commands, each of which is a list; write ${form}`,
    ])
  })

  test('as the base of images has its own steps', async () => {
    expect(await mistakesOf('base: { run: apt update, packages: curl }\nservers: { web: { image: a } }\n')).toEqual([
      '14 base.run: must be a list, not "apt update"; write ["apt update"]',
      '36 base.packages: must be a list, not "curl"; write [curl]',
    ])
  })

  test('in the notation of an object', async () => {
    expect(await mistakesOf({ servers: { web: { image: 'a', command: 'ls -l' } } })).toEqual([
      'undefined servers.web.command: must be a list, not "ls -l"; write ["ls","-l"]',
    ])
  })

  test('in no more messages than a person reads', async () => {
    const servers = Array.from({ length: 60 }, (_, index) => `  s${index}: { image: a, command: ls }\n`)
    const mistakes = await mistakesOf(`servers:\n${servers.join('')}`)
    expect(mistakes).toHaveLength(60)
    expect(mistakes.filter((mistake) => mistake.includes('; write [ls]'))).toHaveLength(20)
  })
})
