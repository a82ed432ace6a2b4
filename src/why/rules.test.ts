import { describe, expect, test } from 'vitest'
import type { Evidence, SeenFailure, SeenServer } from '../model/run-note.ts'
import { findCauses, type Locate } from './rules.ts'

const locate: Locate = (path) => ({ file: 'testfleet.yaml', line: path.length, column: 3 })
const server = (more: Partial<SeenServer> = {}): SeenServer => ({
  ...{ server: 'db', container: 'c1', state: 'running', isOutOfMemory: false, restarts: 0, answers: {}, log: [] },
  ...more,
})
const ended = (exitCode: number, more: Partial<SeenServer> = {}): SeenServer =>
  server({ state: 'exited', exitCode, endedAtMs: Date.UTC(2026, 0, 2), ...more })
const failure = (code: string, more: Partial<SeenFailure> = {}): SeenFailure => ({
  ...{ code, message: `db failed with ${code}\nand more`, server: 'db', output: ['one', 'two'] },
  ...more,
})
const find = (servers: SeenServer[], failed?: SeenFailure) =>
  findCauses({ servers, ...(failed && { failure: failed }) } satisfies Evidence, locate)

test('a server that runs, was stopped on purpose, or has ended as it had to, is no cause', () => {
  const fine = [
    server({ isReady: true }),
    ended(137, { isStopped: true }),
    ended(137, { isStopped: true, isOutOfMemory: true, restarts: 2 }),
    ended(3, { wantedCode: 3 }),
    server({ state: 'paused' }),
    server({ state: 'created' }),
  ]
  expect(find(fine)).toEqual([])
})

describe('out-of-memory', () => {
  test('names the limit, and its line in the fleet file', () => {
    expect(find([ended(137, { isOutOfMemory: true, memoryBytes: 64 * 1024 ** 2, log: ['full'] })])).toEqual([
      {
        rule: 'out-of-memory',
        server: 'db',
        sentence: 'db was killed for using more memory than its limit of 64m',
        evidence: [
          'the limit is 64m (`limits.memory`)',
          'it ended at 2026-01-02T00:00:00.000Z with exit code 137',
          'log: full',
        ],
        ...{ file: 'testfleet.yaml', line: 4, column: 3 },
        hint: 'Raise `limits.memory`.',
      },
    ])
  })

  test('says that no limit is set, and shows the server then', () => {
    const [cause] = find([ended(137, { isOutOfMemory: true })])
    expect(cause).toMatchObject({
      ...{ rule: 'out-of-memory', line: 2, hint: expect.stringMatching(/^Start fewer servers/) },
      sentence: 'db was killed for lack of memory on its machine',
      evidence: expect.arrayContaining(['no limit is set (`limits.memory`)']),
    })
  })

  test('tells a lost program of a server that still runs', () => {
    const [cause] = find([server({ isOutOfMemory: true, memoryBytes: 1024 })])
    expect(cause?.sentence).toBe('a program of db was killed for using more memory than its limit of 1k')
  })
})

describe('died', () => {
  test.each([
    [7, {}, 'db ended with exit code 7'],
    [139, {}, 'db ended with exit code 139 (SIGSEGV)'],
    [3, { wantedCode: 0 }, 'db ended with exit code 3; it had to end with 0'],
    [1, { restarts: 1 }, 'db ended with exit code 1, and was restarted once before'],
    [1, { restarts: 4 }, 'db ended with exit code 1, and was restarted 4 times before'],
  ])('says how it ended: %i %j', (exitCode, more, sentence) => {
    expect(find([ended(exitCode, more)])).toMatchObject([{ rule: 'died', sentence, line: 2 }])
  })

  test('uses the words of the failed start, and its log', () => {
    const [cause] = find([ended(7)], failure('SERVER_DIED', { hint: 'Fix it.' }))
    expect(cause).toMatchObject({ rule: 'died', sentence: 'db failed with SERVER_DIED', hint: 'Fix it.' })
    expect(cause?.evidence.slice(-2)).toEqual(['log: one', 'log: two'])
  })

  test('has a hint for a kill that nobody has explained', () => {
    expect(find([ended(137)])[0]?.hint).toMatch(/^It was killed \(SIGKILL\)/)
  })
})

test('restarted says how often', () => {
  expect(find([server({ restarts: 3 })])).toMatchObject([
    { rule: 'restarted', sentence: 'db ended and was restarted 3 times', line: 2 },
  ])
})

test.each([
  ['image', 'BUILD_FAILED', 3],
  ['image', 'PULL_FAILED', 3],
  ['image', 'IMAGE_NOT_FOUND', 3],
  ['port-taken', 'PORT_TAKEN', 3],
  ['not-started', 'START_FAILED', 2],
  ['not-started', 'COMMAND_NOT_FOUND', 2],
  ['hook', 'HOOK_FAILED', 2],
  ['failed', 'NAME_TAKEN', 2],
])('the rule %s explains %s, with its first line and its output', (rule, code, line) => {
  expect(find([], failure(code))).toMatchObject([
    { rule, server: 'db', sentence: `db failed with ${code}`, evidence: ['log: one', 'log: two'], line },
  ])
})

test('the place of the failure itself is better than that of its server', () => {
  const at = { file: 'other.yaml', line: 9, column: 8 }
  expect(find([], failure('HOOK_FAILED', { at }))).toMatchObject([at])
})

test('a failure without a server is a cause without one', () => {
  const [cause] = find([], { code: 'TIMED_OUT', message: 'it took too long', output: [] })
  expect(cause).toEqual({ rule: 'failed', sentence: 'it took too long', evidence: [] })
})

describe('never-ready and port-refused', () => {
  const unready = server({ isReady: false, answers: { 'http /': 'status 503' } })
  const refused = server({ isReady: false, answers: { 'tcp 80': 'connection refused' } })

  test('quote the last answer of each check', () => {
    expect(find([unready])).toMatchObject([
      {
        ...{ rule: 'never-ready', sentence: 'db is not ready (http /: status 503)', line: 3 },
        evidence: ['last answer of its ready check http /: status 503'],
      },
    ])
    expect(find([unready], failure('READY_TIMEOUT'))).toMatchObject([{ sentence: 'db failed with READY_TIMEOUT' }])
    expect(find([refused], failure('READY_TIMEOUT'))).toMatchObject([
      {
        rule: 'port-refused',
        sentence: 'db was never ready: its port refuses connections (tcp 80: connection refused)',
      },
    ])
  })

  test('do not blame servers that still started when another one failed', () => {
    const web = { ...unready, server: 'web', container: 'c2' }
    expect(find([ended(1), web], failure('SERVER_DIED')).map(({ server }) => server)).toEqual(['db'])
    const late = find([unready, web], { code: 'TIMED_OUT', message: 'late', output: [] })
    expect(late.map(({ server }) => server)).toEqual(['db', 'web'])
  })
})

test('rules are asked in their order, and a server has one cause only', () => {
  const servers = [
    ended(1, { server: 'died', restarts: 2 }),
    server({ server: 'again', restarts: 1, isReady: false }),
    ended(137, { server: 'full', isOutOfMemory: true }),
  ]
  expect(find(servers).map(({ rule, server }) => [rule, server])).toEqual([
    ['out-of-memory', 'full'],
    ['died', 'died'],
    ['restarted', 'again'],
  ])
})
