import { expect, test } from 'vitest'
import type { ServerReport, SessionReport } from '../model/running.ts'
import { formatGuide } from './look-around.ts'

const server = (state: ServerReport['state'], endpoints: ServerReport['endpoints'] = {}) =>
  ({ state, endpoints }) as ServerReport

test('the guide of `run --debug` shows calls that can be copied, for a running server', () => {
  const endpoints = { '80/tcp': { host: '127.0.0.1', port: 32768 } } as unknown as ServerReport['endpoints']
  const servers = { job: server('completed'), web: server('unready', endpoints) }
  const report = { session: 'shop-1', servers } as unknown as SessionReport
  expect(formatGuide(report, { engine: 'tcp://h:2376', options: {} }).trim().split('\n')).toEqual([
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

test('the guide does not name a call into a server where none runs, and keeps the option for an engine without TLS', () => {
  const servers = { web: { state: 'exited', exitCode: 1, endpoints: {} } }
  const report = { session: 'shop-1', servers } as unknown as SessionReport
  const guide = formatGuide(report, { engine: 'tcp://h:2375', options: { 'insecure-engine': true } })
  expect(guide.trim().split('\n').slice(4)).toEqual([
    '  testfleet logs --session shop-1 --engine tcp://h:2375 --insecure-engine web',
    '  testfleet ps --session shop-1 --engine tcp://h:2375 --insecure-engine',
    '  testfleet join --session shop-1 --engine tcp://h:2375 --insecure-engine -- sh',
  ])
})
