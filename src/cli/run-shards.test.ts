import { expect, test, vi } from 'vitest'
import { EventHub } from '../api/event-hub.ts'
import type { TestfleetEvent } from '../api/events.ts'
import { currentHost } from '../current-host.ts'
import type { Call } from './call.ts'
import { openOutput } from './output.ts'
import { parseCall } from './parse-call.ts'
import { describeLostPlace } from './run.ts'
import { describeShard, numberFile, runShards } from './run-shards.ts'

const streams = { stdout() {}, stderr() {}, end() {} }

function callOf(...words: string[]): Call {
  const parsed = parseCall(['run', ...words])
  const own = {
    output: openOutput({ ...parsed, quiet: true }),
    hub: new EventHub(),
    signal: AbortSignal.timeout(60_000),
  }
  return { ...parsed, host: currentHost(), ...own, ignored: [] }
}

test('a shard has its number in its words, variables, files and session', () => {
  const files = [
    '--attach-logs',
    'logs',
    '--bundle',
    'out/failure.tar.gz',
    '--timeline',
    'up.html',
    '--timeline',
    'up.json',
  ]
  const call = callOf(
    '--shards',
    '4',
    '--session',
    'ci',
    ...files,
    '--',
    'vitest',
    '--shard={shard}/{shards}',
    '{shard}${shard}{x}',
  )
  const shard = describeShard(call, { shard: 2, shards: 4 }, streams)
  expect(shard).toMatchObject({
    session: 'ci-2',
    command: ['vitest', '--shard=2/4', '2${shard}{x}'],
    options: {
      'attach-logs': 'logs/shard-2',
      bundle: 'out/failure-2.tar.gz',
      timeline: ['up-2.html', 'up-2.json'],
    },
    shard: { environment: { TESTFLEET_SHARD_INDEX: '2', TESTFLEET_SHARD_COUNT: '4' } },
  })
  const plain = describeShard(callOf('--shards', '2', '--', 'true'), { shard: 1, shards: 2 }, streams)
  expect(plain).toMatchObject({ session: undefined, options: { timeline: undefined } })
  expect(plain.options).not.toHaveProperty('bundle')
})

test('events of a shard reach the file of --events, and not the progress of the whole call', () => {
  const call = { ...callOf('--quiet', '--shards', '2', '--', 'true'), recordEvent: vi.fn() }
  const listener = vi.fn()
  call.hub.add(listener)
  const event = { kind: 'note', data: { message: 'a' } } as TestfleetEvent
  describeShard(call, { shard: 1, shards: 2 }, streams).hub.emit(event)
  expect(call.recordEvent).toHaveBeenCalledExactlyOnceWith(event)
  expect(listener).not.toHaveBeenCalled()
})

test('the number of a shard goes before the ending of a file', () => {
  expect(['a/failure', 'a.b/failure', 'up.html', 'x.tar.zst'].map((file) => numberFile(file, 3))).toEqual([
    'a/failure-3',
    'a.b/failure-3',
    'up-3.html',
    'x-3.tar.zst',
  ])
})

test.each([
  ['0', '--shards takes a number from 1 to 24, not 0'],
  ['25', '--shards takes a number from 1 to 24, not 25'],
  ['many', '--shards takes a number, not "many"'],
])('%s shards are refused before anything is touched', async (number, message) => {
  const runOne = vi.fn()
  const shards = runShards(callOf('--shards', number, '--', 'true'), runOne)
  const hint = message.includes('from 1 to') ? { hint: expect.stringContaining('--shards 2') } : {}
  await expect(shards).rejects.toMatchObject({ message: expect.stringContaining(message), ...hint })
  expect(runOne).not.toHaveBeenCalled()
})

test('several sessions cannot be kept to look around in', async () => {
  const call = callOf('--shards', '2', '--debug', '--', 'true')
  await expect(runShards(call, vi.fn())).rejects.toMatchObject({
    code: 'USAGE',
    message: '--shards and --debug cannot be used together',
    hint: 'Run the shard that fails alone, with --debug.',
  })
})

test('a place for the number of a shard is warned of when there are no shards', () => {
  for (const place of ['{shard}', '{shards}'])
    expect(describeLostPlace(['echo', `--shard=${place}`])).toBe(
      `the command gets ${place} as it is: add --shards N to replace it`,
    )
  expect(describeLostPlace(['sh', '-c', 'echo ${shard} {x}'])).toBeUndefined()
})
