import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { currentHost } from '../../src/current-host.ts'
import { awaitReady } from '../../src/report/report.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { type CommandResult, listRecords, removeFleetFolders, withEngine } from './command.ts'
import { type HostClients, startHostClients } from './host-clients.ts'
import { leftBehind } from './left-behind.ts'
import { Testfleet } from './library.ts'
import { makeFleet, type Servers, type SessionReport, type StoryFleet } from './story-fleet.ts'

/**
 * The clients that presets are proved with: each the distribution's own, and nobody's here. One image for all tests, so
 * that it is built once.
 */
const clientPackages = [
  'ca-certificates',
  'chrony',
  'curl',
  'dante-client',
  'default-mysql-client',
  'dnsutils',
  'freeradius-utils',
  'go-sendxmpp',
  'knot-dnsutils',
  'krb5-user',
  'ldap-utils',
  'lftp',
  'libcoap3-bin',
  'libio-socket-socks-perl',
  'mosquitto-clients',
  'netcat-openbsd',
  'openssh-client',
  'openssl',
  'postgresql-client',
  'python3-minimal',
  'python3-slixmpp',
  'python3-socks',
  'redis-tools',
  'sip-tester',
  'sipsak',
  'smbclient',
  'snmp',
  'sshpass',
  'stun-client',
  'swaks',
  'tftp-hpa',
]

/** Has curl trust an authority of the world, and not the fleet's: it refuses the fleet's certificates with 60. */
export const trustOthers = ['--cacert', '/etc/ssl/certs/ISRG_Root_X1.pem', '--capath', '/nowhere']

const TIMEOUT_MS = 60_000

/** With CATALOGUE_BAKED=1, every preset starts from a baked image, with all of its tests unchanged. */
function bakeIfAsked(servers: Servers): Servers {
  if (process.env.CATALOGUE_BAKED !== '1') return servers
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [name, 'preset' in server ? { ...server, bake: true } : server]),
  )
}

/** A session of presets, with a container of clients on its network. */
export interface CatalogueSession {
  readonly fleet: StoryFleet
  readonly report: SessionReport
  /** What `endpoints --format json` gives a test. */
  readonly variables: Readonly<Record<string, string>>
  /** Runs a client in the container of clients; whatever it ends with. */
  client(...words: readonly string[]): Promise<CommandResult>
  /** As `client`, with this for its standard input. */
  clientWith(input: string, ...words: readonly string[]): Promise<CommandResult>
  /** Runs a client of this machine, with the variables of the fleet. */
  host(...words: readonly string[]): Promise<CommandResult>
  /** Runs a client of the container's image in this machine's network, whether this machine has it or not. */
  fromHost(...words: readonly string[]): ReturnType<HostClients['run']>
  /** The address on this machine of a port of a server, such as `53/udp`. */
  published(server: string, port: string): { readonly host: string; readonly port: string }
  /** The text of a secret of a server. */
  secret(server: string, name: string): Promise<string>
  /** What the server's own ready checks say while it is paused: it takes what is sent, and answers nothing. */
  answerWhilePaused(server: string): Promise<string>
  /** Fails where a server does not end by itself when it is told to. */
  end(): Promise<void>
}

/** `packages` are the clients, where waiting for all of them would take longer than the tests. */
export async function startCatalogue(
  servers: Servers,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  packages: readonly string[] = clientPackages,
): Promise<CatalogueSession> {
  const clients = { build: { packages: [...packages] }, command: ['sleep', '3600'], limits: { memory: '512m' } }
  const fleet = await makeFleet({ ...bakeIfAsked(servers), clients }, files)
  const cleanUp = async (): Promise<void> => {
    await fleet.cleanUp()
    const left = await leftBehind(fleet.name)
    await removeFleetFolders()
    if (left > 0) throw new Error(`${left} things of ${fleet.name} were left behind`)
  }
  const report = await fleet
    .json(['up', '--timeout', '15m'], { timeoutMs: 15 * 60_000 })
    .catch(async (error: unknown) => {
      await cleanUp()
      throw error
    })
  const variables = JSON.parse((await fleet.done(['endpoints', '--format', 'json'])).stdout) as Record<string, string>
  const testfleet = new Testfleet({ folder: fleet.folder })
  const client = async (words: readonly string[], input?: string): Promise<CommandResult> => {
    const startedAt = performance.now()
    const result = await testfleet.exec('clients', words, { input, signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { ...result, elapsedMs: performance.now() - startedAt }
  }
  let hostClients: Promise<HostClients> | undefined
  const containerOf = (server: string): string => report.servers[server]?.container ?? ''
  return {
    fleet,
    report,
    variables,
    client: (...words) => client(words),
    clientWith: (input, ...words) => client(words, input),
    host: (...words) => runProgram(words, variables),
    fromHost: async (...words) => {
      hostClients ??= startHostClients(report.servers.clients?.image ?? '', fleet.name)
      return (await hostClients).run(words, TIMEOUT_MS)
    },
    published: (server, port) => {
      const endpoint = report.servers[server]?.endpoints[port]
      if (endpoint === undefined) throw new Error(`${server} has no port ${port}`)
      return { host: endpoint.host, port: String(endpoint.port) }
    },
    secret: (server, name) => fleet.exec(server, 'cat', `/run/secrets/${name}`),
    answerWhilePaused: (server) => askWhilePaused(server, containerOf(server)),
    end: async () => {
      try {
        await (await hostClients)?.end()
        // A test may have replaced one.
        const { servers: present } = await fleet.report()
        const presets = Object.keys(servers).filter((name) => 'preset' in (servers[name] ?? {}))
        await stopServers(presets.map((name) => [name, present[name]?.container ?? '']))
      } finally {
        await cleanUp()
      }
    },
  }
}

/** Longer than any of them needs on a busy machine; a server that still runs then is killed. */
const GRACE_MS = 8000
const KILLED = 128 + constants.signals.SIGKILL

/** Stops them as an engine does; fails where one has to be killed. */
async function stopServers(containers: readonly (readonly [server: string, container: string])[]): Promise<void> {
  const stubborn: string[] = []
  await withEngine(async (engine) => {
    const stop = async (server: string, container: string): Promise<void> => {
      await engine.stopContainer(container, GRACE_MS)
      if ((await engine.inspectContainer(container)).exitCode === KILLED) stubborn.push(server)
    }
    await Promise.all(containers.map(([server, container]) => stop(server, container)))
  })
  if (stubborn.length > 0) throw new Error(`not stopped by SIGTERM: ${stubborn.join(', ')}`)
}

/** The first that its checks have to say; `ready` when they hold all the same. */
async function askWhilePaused(server: string, container: string): Promise<string> {
  await withEngine((engine) => engine.pauseContainer(container))
  try {
    return await withEngine(async (engine) => {
      const details = await engine.inspectContainer(container)
      const spec = (await listRecords())
        .map(({ servers }) => servers[server])
        .find((known) => known?.container === details.id)
      if (spec === undefined) throw new Error(`no record has ${server}`)
      const heard = new AbortController()
      let said = 'ready'
      const subject = { server, container, spec: { ...spec, readyTimeoutMs: TIMEOUT_MS } }
      const wait = awaitReady(
        subject,
        details,
        { runtime: openContainers(engine), host: currentHost() },
        heard.signal,
        {
          onAnswer: (check, answer) => {
            if (answer === undefined) return
            said = `${check}: ${answer}`
            heard.abort(new Error('it has answered'))
          },
        },
      )
      await wait.catch((error: unknown) => {
        if (!heard.signal.aborted) throw error
      })
      return said
    })
  } finally {
    await withEngine((engine) => engine.unpauseContainer(container))
  }
}

function runProgram(
  [program = '', ...rest]: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...variables }, timeout: TIMEOUT_MS }
    execFile(program, rest, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : Number(error.code ?? 1)
      resolve({ exitCode, stdout, stderr, elapsedMs: performance.now() - startedAt })
    })
  })
}
