import { join } from 'node:path'
import { afterAll } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { describeEngine } from '../../src/engine/conformance/describe-engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { rootMachine } from '../../src/engine/local/programs.ts'
import { proxyEngine } from '../../src/engine/local/user/engine-proxy.ts'
import { type Link, openLink } from '../../src/engine/local/user/link.ts'
import { startServer } from '../../src/engine/local/user/start-server.ts'
import { findEngine } from '../../src/engine/open-engine.ts'
import { makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'

const server = join(import.meta.dirname, '../fixtures/serve-engine.ts')
const problem = await whyNoLocalEngine()
const store = problem === undefined ? await makeLocalStore() : undefined
// Without the local engine, the other process serves the container engine of this machine.
const location = await findEngine(store?.url, currentHost())
const environment = { ...process.env, ...(store && { TESTFLEET_ENGINE: store.url }) }
afterAll(() => store?.remove())

function connect(): Engine {
  let link: Link | undefined
  return proxyEngine(location, {
    async link() {
      link ??= openLink(startServer(rootMachine, [process.execPath, server], environment))
      return link
    },
    close: () => link?.close(),
  })
}

describeEngine('an engine in another process', async () => connect(), {
  image: 'debian:bookworm-slim',
  sharesLoopback: location.remoteHost === undefined,
})
