import { expect, test } from 'vitest'
import type { ServerReport, SessionReport } from '../model/running.ts'
import { formatGuide } from './look-around.ts'

const server = (state: ServerReport['state'], endpoints: ServerReport['endpoints'] = {}) =>
  ({ state, endpoints }) as ServerReport

test('the guide of `run --debug` shows calls that can be copied, for a running server', () => {
  const endpoints = { '80/tcp': { host: '127.0.0.1', port: 32768 } } as unknown as ServerReport['endpoints']
  const servers = { job: server('completed'), web: server('unready', endpoints) }
  const report = { session: 'shop-1', servers } as unknown as SessionReport
  expect(formatGuide(report, { engine: 'tcp://h:2376' }).trim().split('\n')).toEqual([
    'The session shop-1 is kept for you to look around:',
    '',
    '  job  completed',
    '  web  unready    127.0.0.1:32768→80/tcp',
    '',
    '  testfleet exec --session shop-1 --engine tcp://h:2376 web -- sh',
    '  testfleet logs --session shop-1 --engine tcp://h:2376 web',
    '  testfleet ps --session shop-1 --engine tcp://h:2376',
    '  testfleet join --session shop-1 --engine tcp://h:2376 -- sh',
  ])
})
