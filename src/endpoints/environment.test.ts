import { describe, expect, test } from 'vitest'
import type { SessionReport } from '../model/running.ts'
import { toEnvironment } from './environment.ts'
import { formatEnvironment } from './format-environment.ts'

const report: SessionReport = {
  session: 'web-1a2b3c',
  fleet: 'web',
  domain: 'web.test',
  servers: {
    'my-db': {
      state: 'ready',
      container: 'c',
      image: 'i',
      packages: {},
      hostname: 'my-db.web.test',
      ip: '172.20.0.2',
      endpoints: { '5432/tcp': { host: '127.0.0.1', port: 49153 }, '53/udp': { host: '127.0.0.1', port: 49154 } },
    },
  },
}

describe('toEnvironment', () => {
  test('names every server, its first port, and every port by its number', () => {
    expect(toEnvironment(report, [])).toEqual({
      TESTFLEET_SESSION: 'web-1a2b3c',
      TESTFLEET_MY_DB_HOSTNAME: 'my-db.web.test',
      TESTFLEET_MY_DB_HOST: '127.0.0.1',
      TESTFLEET_MY_DB_PORT: '49153',
      TESTFLEET_MY_DB_PORT_5432: '49153',
      TESTFLEET_MY_DB_PORT_53: '49154',
    })
  })

  test('fills exports in, secrets too', () => {
    const spec = {
      export: { URL: 'postgres://app:${secret.PW}@${host}:${port.5432}/x?h=${hostname}&dns=${port.53/udp}' },
    }
    const source = { name: 'my-db', spec, secrets: new Map([['PW', 'p$1&w']]) }
    expect(toEnvironment(report, [source]).URL).toBe(
      'postgres://app:p$1&w@127.0.0.1:49153/x?h=my-db.web.test&dns=49154',
    )
  })
})

test('a variable that two servers export is that of the later name, and each has its own', () => {
  const server = report.servers['my-db']
  if (server === undefined) throw new Error('no server')
  const spec = { export: { URL: '${hostname}', HOST: 'mine' } }
  const exports = ['b-2', 'a'].map((name) => ({ name, spec, secrets: new Map() }))
  const servers = { 'b-2': { ...server, hostname: 'b' }, a: { ...server, hostname: 'a' } }
  expect(toEnvironment({ ...report, servers }, exports)).toMatchObject({
    URL: 'b',
    TESTFLEET_A_URL: 'a',
    TESTFLEET_B_2_URL: 'b',
    // What every server has is not taken by what it exports.
    TESTFLEET_A_HOST: '127.0.0.1',
  })
})

test('shell output survives any value', () => {
  expect(formatEnvironment({ A: "it's $HOME `id`" }, 'shell')).toBe("export A='it'\\''s $HOME `id`'\n")
  expect(formatEnvironment({ A: 'a b' }, 'dotenv')).toBe('A="a b"\n')
  expect(formatEnvironment({ A: 'a b' }, 'env')).toBe('A=a b\n')
})
