/** Files of a user of the package. Each `@ts-expect-error` is a mistake that the types must find. */

const typed = `
import { defineFleet, type Exports, type FleetFile, type PortsOf, startFleet, TestfleetError } from 'testfleet'

declare const maybe: string | undefined
declare const names: string[]

export const fleet = defineFleet({
  name: 'web',
  domain: maybe,
  servers: {
    apache2: { build: { packages: ['apache2'], copy: [{ content: 'hello', to: '/srv/hello' }] }, ports: [80, '53/udp'] },
    db: { image: 'postgres:18', dependsOn: ['apache2'], ready: [{ tcp: { port: 5432 } }], environment: { A: 1, B: { env: 'HOME' } } },
    cache: { preset: 'redis' },
  },
})
export const image: string = fleet.servers['db'].image
export const loose: FleetFile = defineFleet({ servers: Object.fromEntries(names.map((name) => [name, { image: name }])) })
export const port: PortsOf<typeof fleet, 'cache'> = 6379
export const variables: Exports<typeof fleet> = { REDIS_URL: 'redis://' }
// @ts-expect-error: no such preset
defineFleet({ servers: { cache: { preset: 'reddis' } } })
// @ts-expect-error: no such key
defineFleet({ servers: { web: { imagee: 'nginx' } } })
// @ts-expect-error: a list, never a line
defineFleet({ servers: { web: { image: 'nginx', command: 'nginx -g x' } } })
// @ts-expect-error: no servers
defineFleet({ name: 'web' })

export async function test(): Promise<number> {
  await using running = await startFleet(fleet, { servers: ['db'], onEvent: (event) => void event })
  const { host, port } = running.server('cache').endpoint(6379)
  // @ts-expect-error: db publishes no port
  running.server('db').endpoint(5432)
  // @ts-expect-error: no such server
  running.server('mail')
  await fetch(running.exports.REDIS_URL)
  const { exitCode, stdout } = await running.server('db').exec(['psql', '--version'])
  if (stdout === '') throw new TestfleetError('USAGE', host)
  return exitCode + port
}

export function isLate(error: unknown): boolean {
  return error instanceof TestfleetError && error.code === 'READY_TIMEOUT'
}
`

const byPath = `
import { joinFleet, type RunningFleet, startFleet, Testfleet } from 'testfleet'
import type { Fleet } from './testfleet.types.js'

export async function test(): Promise<string> {
  await using fleet = await startFleet<Fleet>('./testfleet.yaml', { servers: ['web'] })
  fleet.server('web').endpoint(80)
  fleet.server('dns').endpoint(53, 'udp')
  // @ts-expect-error: only with UDP
  fleet.server('dns').endpoint(53, 'tcp')
  // @ts-expect-error: no such port
  fleet.server('web').endpoint(81)
  // @ts-expect-error: no such server
  fleet.server('cache')
  // @ts-expect-error: nobody exports it
  fleet.exports.REDIS_URL
  // @ts-expect-error: no such server
  await startFleet<Fleet>('./testfleet.yaml', { servers: ['cache'] })
  const joined: RunningFleet<Fleet> = await joinFleet<Fleet>()
  const lasting: RunningFleet<Fleet> = await new Testfleet().up<Fleet>()
  return fleet.exports.DATABASE_URL + joined.exports.WEB_URL + lasting.server('web').exports.WEB_URL
}
`

const script = `
// @ts-check
import { defineFleet, startFleet } from 'testfleet'

export const fleet = defineFleet({ servers: { web: { image: 'nginx', ports: [80] } } })

export async function test() {
  const running = await startFleet(fleet)
  running.server('web').endpoint(80)
  // @ts-expect-error: no such port
  running.server('web').endpoint(81)
  // @ts-expect-error: no such server
  running.server('db')
}
`

const commonJs = `
import { defineFleet, type RunningFleet, startFleet } from 'testfleet'
import testfleet = require('testfleet')

const fleet = defineFleet({ servers: { db: { preset: 'postgresql' } } })

export async function test(): Promise<string> {
  const running: RunningFleet<typeof fleet> = await startFleet(fleet)
  const url: string = running.exports.DATABASE_URL
  // @ts-expect-error: no such server
  running.server('web')
  return url + testfleet.VERSION
}
`

/** For a bundler: modules. */
export const bundledFiles: Readonly<Record<string, string>> = {
  'use.ts': typed,
  'by-path.ts': byPath,
  'use.mjs': script,
  'testfleet.yaml': `
name: shop
servers:
  web: { image: nginx, ports: [80], export: { WEB_URL: "http://\${endpoint.80}" } }
  dns: { image: dns, ports: [53/udp] }
  db: { preset: postgresql }
`,
}

/** For Node.js: modules, and CommonJS. */
export const consumerFiles: Readonly<Record<string, string>> = { ...bundledFiles, 'use.cts': commonJs }
