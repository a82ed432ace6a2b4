import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'
import { currentHost } from '../../current-host.ts'
import type { SessionReport } from '../../model/running.ts'
import type { Taken, Taking } from '../../standby/take.ts'
import type { CallSettings } from '../call.ts'
import { runOnCopy } from './run-on-standby.ts'

const destroy = vi.spyOn(Agent.prototype, 'destroy')
afterEach(() => void destroy.mockClear())

/** Runs a command, which cannot start, on a copy of a fleet with this server. */
async function failOnCopy(server: object) {
  const report: SessionReport = { session: 'shop', fleet: 'shop', domain: 'shop.test', servers: {} }
  const record = { id: '0123abcd', name: 'shop', servers: { db: server } }
  const end = { close: vi.fn() }
  const taken = { record, keeper: end, listener: { ...end, takenDown: new AbortController().signal } }
  const taking: Taking = {
    ...{ id: record.id, report, socket: '', lender: '', cancel: vi.fn() },
    view: {
      variables: { environmentFor: () => ({}), exports: () => ({}), environmentOf: () => ({}) },
      servers: [],
      ready: Promise.resolve(),
    },
    taken: Promise.resolve(taken as unknown as Taken),
  }
  const messages: string[] = []
  const onEvent: CallSettings['onEvent'] = (event) => void (event.kind === 'warned' && messages.push(event.message))
  await using fake = await fakeDocker((_, response) => response.writeHead(400).end('{"message":"not today"}'))
  const client = { engine: fake.engine.location.url, onEvent } as CallSettings
  const request = {
    ...({ path: process.execPath, argv0: 'node', words: [], names: 'none', variables: {}, trust: true } as const),
    ...{ descriptors: [], ignored: [], forwarded: [], isBundleWanted: () => false },
    onStart: () => {
      throw new Error('the command cannot start')
    },
  }
  const { signal } = new AbortController()
  const run = { client, source: undefined, request, options: {}, host: currentHost(tmpdir()), signal }
  await expect(runOnCopy(taking, run)).rejects.toThrow('the command cannot start')
  return { messages, closed: end.close.mock.calls.length, destroyed: destroy.mock.calls.length }
}

test('the lender of a fleet with pools is started before its command, and the engine is closed when that fails', async () => {
  const { messages, closed, destroyed } = await failOnCopy({ lending: { pool: 1 } })
  // The lender was looked for.
  expect(messages).toEqual([expect.stringContaining('not today')])
  expect([closed, destroyed]).toEqual([2, 1])
})

test('the command of a fleet without pools does not wait for an engine', async () => {
  expect(await failOnCopy({})).toEqual({ messages: [], closed: 2, destroyed: 0 })
})
