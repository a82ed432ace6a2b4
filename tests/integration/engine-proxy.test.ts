import { homedir } from 'node:os'
import { join } from 'node:path'
import { describeEngine } from '../../src/engine/conformance/describe-engine.ts'
import { locateEngine } from '../../src/engine/docker/locate.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { rootMachine } from '../../src/engine/local/programs.ts'
import { proxyEngine } from '../../src/engine/local/user/engine-proxy.ts'
import { type Link, openLink } from '../../src/engine/local/user/link.ts'
import { startServer } from '../../src/engine/local/user/start-server.ts'

const where = { environment: process.env, home: homedir() }
const location = await locateEngine({ ...where, platform: process.platform, uid: process.getuid?.() })
const server = join(import.meta.dirname, '../fixtures/serve-engine.ts')

function connect(): Engine {
  let link: Link | undefined
  return proxyEngine(location, {
    async link() {
      link ??= openLink(startServer(rootMachine, [process.execPath, server], process.env))
      return link
    },
    close: () => link?.close(),
  })
}

describeEngine("the machine's engine in another process", async () => connect(), {
  image: 'debian:bookworm-slim',
  sharesLoopback: location.remoteHost === undefined,
})
