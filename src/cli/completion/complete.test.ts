import { describe, expect, test } from 'vitest'
import type { Lookups } from '../../api/calls/lookups.ts'
import { complete } from './complete.ts'

const asked: unknown[] = []
const lookups: Lookups = {
  servers: async ({ file, session }) => {
    asked.push({ file, session })
    return ['web', 'worker', 'db']
  },
  sessions: async () => ['shop', 'shop-2'],
  presets: async () => [{ word: 'redis', help: 'Redis' }],
}

/** The words that are offered for the last word of a call, or what the shell completes. */
async function offer(call: string): Promise<readonly string[] | string> {
  const completed = await complete(call.split(' '), lookups)
  return completed.kind === 'words' ? completed.candidates.map(({ word }) => word) : completed.kind
}

describe('complete', () => {
  test.each([
    ['u', ['up']],
    ['-f x.yaml --json u', ['up']],
    ['--session sh', ['shop', 'shop-2']],
    ['up --session=shop-', ['--session=shop-2']],
    ['-f ', 'file'],
    ['--file=x', 'file'],
    ['logs -f w', ['web', 'worker']],
    ['logs web w', ['worker']],
    ['logs web worker db ', []],
    ['run --server w', ['web', 'worker']],
    ['run --server web --server ', ['web', 'worker', 'db']],
    ['up --bind ', ['free', 'fixed']],
    ['up --bind fi', ['fixed']],
    ['up --bind=fi', ['--bind=fixed']],
    ['up --ttl ', []],
    ['up --nothing=', []],
    ['up --no-c', ['--no-color']],
    ['up --keep --k', []],
    ['run --server web --serv', ['--server']],
    ['exec ', ['web', 'worker', 'db']],
    ['exec web ', ['--']],
    ['exec web --u', ['--user']],
    ['exec web -- p', []],
    ['run -- p', 'program'],
    ['join -- npm t', 'program'],
    ['down -- p', []],
    ['presets ', ['redis']],
    ['help pru', ['prune']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['nonsense ', []],
    ['--nothing u', ['up']],
    ['__proto__ ', []],
  ])('"%s" is completed as %j', async (call, expected) => {
    const offered = await offer(call)
    expect(typeof expected === 'string' ? offered : offered.slice(0, expected.length || 99)).toEqual(expected)
  })

  test('asks for the servers of the fleet file and session that the words name', async () => {
    asked.length = 0
    await offer('-f a.yaml logs --file b.yaml --session s ')
    await offer('logs ')
    expect(asked).toEqual([{ file: 'b.yaml', session: 's' }, {}])
  })
})
