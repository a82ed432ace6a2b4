import { expect, test } from 'vitest'
import type { ContainerDetails } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import { formatSummary } from './summary.ts'

function container(details: Partial<ContainerDetails>): ContainerDetails {
  return {
    id: '1f',
    name: 'shop-web',
    imageId: '',
    image: '',
    state: 'running',
    labels: {},
    createdAtMs: 0,
    networks: [],
    published: [],
    user: '',
    environment: {},
    mounts: [],
    exitCode: undefined,
    isOutOfMemory: false,
    memoryBytes: undefined,
    restarts: 0,
    isRestarting: false,
    startedAtMs: 0,
    endedAtMs: 0,
    error: '',
    health: 'none',
    raw: {},
    ...details,
  }
}

const content = {
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  at: { file: 'testfleet.yaml', line: 3, column: 5 },
  fleet: 'shop',
  fleetFile: 'testfleet.yaml',
  session: 'shop',
  engine: undefined,
  logs: new Map(),
}

test('a summary says what failed, where, how to fix it, and the state of the servers', () => {
  const failure = new TestfleetError('SERVER_DIED', 'web died', {
    server: 'web',
    hint: 'Help it.',
    output: ['why\u001b[2J'],
  })
  const servers = [
    {
      name: 'database',
      container: container({}),
      answers: new Map([
        ['exec true', 'passes'],
        ['tcp :1', 'refused'],
      ]),
    },
    { name: 'web', container: container({ state: 'exited', exitCode: 137, isOutOfMemory: true }), answers: new Map() },
    { name: 'late', container: container({ state: 'created', error: 'port is taken' }), answers: new Map() },
    { name: 'later', container: undefined, answers: new Map() },
  ]
  const lines = formatSummary({ ...content, failure, servers }).split('\n')
  expect(lines.slice(0, lines.indexOf('The other files'))).toEqual([
    'FAILED  web died',
    '  code   SERVER_DIED',
    '  where  testfleet.yaml:3:5',
    '  | why',
    '  hint   Help it.',
    '',
    'time       2026-01-02T03:04:05.000Z',
    'session    shop',
    'fleet      shop (testfleet.yaml)',
    expect.stringMatching(/^testfleet {2}\d/),
    'engine     unknown',
    '',
    'Servers',
    '  database  running                       exec true: passes',
    '                                          tcp :1: refused',
    '  web       exit code 137, out of memory',
    '  late      could not start',
    '  later     not started',
    '',
  ])
})

test('a summary for a failed command quotes it, with the last log lines', () => {
  const logs = new Map([
    ['web', ['asked: GET /']],
    ['db', []],
  ])
  const text = formatSummary({
    ...content,
    at: undefined,
    failure: 'the command ended with exit code 3: sh',
    servers: [],
    logs,
  })
  expect(text).toMatch(/^FAILED {2}the command ended with exit code 3: sh\n\ntime/)
  expect(text).toContain('\nThe end of the log of web\n  | asked: GET /\n\ndb has logged nothing\n')
})
