import { expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { speakAs } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { explainTakenPort } from './port-holder.ts'

// Messages are quoted as the command words them.
speakAs('command')

const fleet = { source: { file: 'f', locate: (path) => ({ file: path.join('.') }) } } as Fleet
const port = { container: 6379, protocol: 'tcp', host: undefined, address: undefined } as const
const publisher = { name: 'other', labels: {} }
const runtime = { findPublisher: async () => publisher } as unknown as Runtime

async function explain(bind: 'free' | 'fixed', host: number | undefined): Promise<TestfleetError> {
  const server = { name: 'r', ports: [{ ...port, host }], portItems: [0] } as unknown as Server
  const error = new TestfleetError('PORT_TAKEN', 'something else has the port already: 127.0.0.1:6379')
  return explainTakenPort(error, server, fleet, { runtime, nameSession: async () => undefined, settings: { bind } }, {})
}

test('a port of `--bind fixed` is reported as such, and a port of the fleet file with its line', async () => {
  expect(await explain('fixed', undefined)).toMatchObject({
    message: 'the port 6379 of this machine, requested by --bind fixed, is taken by the container other',
    at: undefined,
  })
  const ofFile = {
    message: 'the port 6379 of this machine is taken by the container other',
    at: { file: 'servers.r.ports.0' },
  }
  expect(await explain('fixed', 6379)).toMatchObject(ofFile)
  expect(await explain('free', 6379)).toMatchObject(ofFile)
})
