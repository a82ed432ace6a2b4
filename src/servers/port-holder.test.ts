import { expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import { speakAs } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { explainOwnPort, explainTakenPort } from './port-holder.ts'

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

test('the port of a process is reported with its holder: a process, or a server of a session', async () => {
  const server = { name: 'app', ports: [{ ...port, container: 3000 }], portItems: [0] } as unknown as Server
  const error = new TestfleetError('PORT_TAKEN', 'the port is already taken: 127.0.0.1:3000, by node (process 5)')
  const explain = (labels: Record<string, string> | undefined) => {
    const found = { findPublisher: async () => labels && { name: 'x', labels } } as unknown as Runtime
    return explainOwnPort(error, server, fleet, { runtime: found, nameSession: async (id) => `shop-${id}` }, {})
  }
  const at = { file: 'servers.app.ports.0' }
  const message = 'app: the port is already taken: 127.0.0.1:3000, by'
  expect(await explain(undefined)).toMatchObject({ server: 'app', message: `${message} node (process 5)`, at })
  expect(await explain({ [label.session]: '1', [label.server]: 'web' })).toMatchObject({
    message: `${message} web of session shop-1 (\`testfleet down --session shop-1\`)`,
    at,
  })
})
