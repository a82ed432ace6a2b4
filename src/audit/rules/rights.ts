import { listFinalInstructions } from '../../formats/dockerfile.ts'
import type { FindingId, Severity } from '../../model/finding.ts'
import type { Server, Unsafe } from '../../model/fleet.ts'
import type { Place, Sighting, Subject } from '../subject.ts'
import { eachContainer, listSteps } from '../walk.ts'

/** What each allows a process to do to the machine (capabilities(7)). Others have no effect outside the container. */
const dangerous: Readonly<Record<string, readonly [severity: Severity, why: string]>> = {
  ALL: ['critical', 'grants every capability'],
  SYS_ADMIN: ['critical', 'mounts, leaves namespaces, and is nearly root on the machine'],
  SYS_MODULE: ['critical', 'loads code into the kernel'],
  SYS_RAWIO: ['critical', 'reads and writes memory and disks directly'],
  DAC_READ_SEARCH: ['high', 'opens files of the machine by their handles'],
  SYS_PTRACE: ['high', 'reads and changes other processes'],
  BPF: ['high', 'loads programs into the kernel'],
  SYS_BOOT: ['high', 'restarts the machine and loads another kernel'],
  MAC_ADMIN: ['high', 'changes what AppArmor and SELinux forbid'],
  MAC_OVERRIDE: ['high', 'bypasses what AppArmor and SELinux forbid'],
  PERFMON: ['medium', 'observes the whole machine'],
  SYSLOG: ['medium', 'reads the addresses of the kernel'],
  SYS_TIME: ['medium', 'sets the clock of the machine'],
  NET_ADMIN: ['medium', 'changes addresses, routes and packet filters'],
  NET_RAW: ['low', 'sends packets of any kind, with any sender'],
  MKNOD: ['low', 'creates device files'],
  CHECKPOINT_RESTORE: ['medium', 'changes the state of processes'],
}

/** Reports servers that are root and have capabilities, and capabilities that are kept without a stated need. */
const findUsers = eachContainer(function* (server, subject) {
  const { name, user, capAdd } = server
  const isDropped = server.capDrop.includes('ALL')
  if (isRoot(server, subject) && (!isDropped || capAdd.length > 0)) {
    const rights = isDropped ? ` and has ${capAdd.join(', ')}` : ''
    yield user === undefined
      ? { id: 'runs-as-root', at: { key: ['servers', name] }, message: `it sets no \`user\`${rights}` }
      : { id: 'runs-as-root', at: { value: ['servers', name, 'user'] }, message: `it runs as ${user}${rights}` }
  }
  if (!isDropped) yield { id: 'capabilities-kept', at: { key: ['servers', name] }, message: '`capDrop` has no ALL' }
})

/** Reports added capabilities, each with its own severity. */
const findCapabilities = eachContainer(function* ({ name, capAdd }) {
  for (const [index, capability] of capAdd.entries()) {
    const [severity, why] = dangerous[capability] ?? []
    const at = { value: ['servers', name, 'capAdd', index] }
    if (severity !== undefined) yield { id: 'capability-added', at, message: `${capability} ${why}`, severity }
  }
})

/** Decides by the fleet file; an image can still set another user. */
function isRoot(server: Server, { dockerfiles }: Subject): boolean {
  if (server.user !== undefined) return isRootName(server.user)
  const own = dockerfiles.find((dockerfile) => dockerfile.server === server.name)
  const instructions = own === undefined ? [] : listFinalInstructions(own.instructions, own.target)
  const user = instructions.findLast(({ keyword }) => keyword === 'USER')?.rest
  return user === undefined || isRootName(user)
}

function isRootName(user: string): boolean {
  return /^(?:root|0+)(?::|$)/.test(user)
}

const keys: readonly (readonly [key: keyof Unsafe, id: FindingId, message: string])[] = [
  ['privileged', 'privileged', 'it is privileged'],
  ['engineSocket', 'engine-socket', "it has the engine's socket"],
  ['newPrivileges', 'new-privileges', 'its programs may gain rights'],
]

/** Reports protections that the fleet file switches off. */
const findUnsafeKeys = eachContainer(function* ({ name, unsafe }) {
  for (const [key, id, message] of keys)
    if (unsafe[key]) yield { id, at: { value: ['servers', name, 'unsafe', key] }, message }
})

/** Devices that every program may use, and devices that only create a network or file system inside the server. */
const harmlessDevices = /^\/dev\/(?:null|zero|full|random|urandom|tty|fuse|net\/tun)$/

const findDevices = eachContainer(function* ({ name, devices }) {
  for (const [index, { host, permissions }] of devices.entries()) {
    if (harmlessDevices.test(host)) continue
    const at = { value: ['servers', name, 'devices', index] }
    yield { id: 'device-of-machine', at, message: `it has the machine's ${host} (${permissions})` }
  }
})

/** Parameters of a network namespace with a value that is less safe than the default (Linux, ip-sysctl). */
const weakening: readonly (readonly [key: RegExp, value: string, effect: string])[] = [
  [/^net\.ipv[46]\.conf\.[^.]+\.accept_redirects$/, '1', 'allows others to change its routes'],
  [/^net\.ipv[46]\.conf\.[^.]+\.accept_source_route$/, '1', 'allows senders to choose the route'],
  [/^net\.ipv4\.conf\.[^.]+\.rp_filter$/, '0', 'accepts forged senders'],
  [/^net\.ipv4\.conf\.[^.]+\.route_localnet$/, '1', 'allows others to reach services on loopback'],
  [/^net\.ipv4\.tcp_syncookies$/, '0', 'allows half-open connections to fill it up'],
  [/^net\.ipv4\.icmp_echo_ignore_broadcasts$/, '0', 'allows its use for flooding others'],
]

const OFF = /^(?:|0|false|no|off)$/i
/** Variables of well-known images and programs that switch off a protection. */
const passwordOff =
  /^(?:MYSQL_ALLOW_EMPTY_PASSWORD|MARIADB_ALLOW_EMPTY_ROOT_PASSWORD|ALLOW_EMPTY_PASSWORD|ALLOW_ANONYMOUS_LOGIN|DISABLE_SECURITY_PLUGIN)$/

/** Reports kernel parameters and variables that remove a protection. */
function* findSettings({ fleet }: Subject): Iterable<Sighting> {
  for (const server of fleet.servers.values()) {
    for (const [key, value] of server.sysctls) {
      const effect = weakening.find(([pattern, weak]) => pattern.test(key) && value === weak)?.[2]
      if (effect === undefined) continue
      const at = { value: ['servers', server.name, 'sysctls', key] }
      yield { id: 'sysctl-weakens', server: server.name, at, message: `${key}=${value} ${effect}` }
    }
    for (const [name, value] of server.environment) {
      const at = { value: ['servers', server.name, 'environment', name] }
      if (value.kind === 'text') yield* lookAtVariable(name, value.text, server.name, at)
    }
  }
  for (const { server, at, steps } of listSteps(fleet)) {
    for (const [name, text] of steps.environment)
      yield* lookAtVariable(name, text, server, { value: [...at, 'environment', name] })
  }
}

function* lookAtVariable(name: string, text: string, server: string | undefined, at: Place): Iterable<Sighting> {
  const message = `${name} is ${JSON.stringify(text)}`
  if ((passwordOff.test(name) && !OFF.test(text)) || (name === 'POSTGRES_HOST_AUTH_METHOD' && text === 'trust'))
    yield { id: 'protection-off', server, at, message }
  if (
    (/^(?:NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY)$/.test(name) && text === '0') ||
    (name === 'GIT_SSL_NO_VERIFY' && !OFF.test(text))
  )
    yield { id: 'tls-not-verified', server, at, message }
}

export const rightRules = [findUsers, findCapabilities, findUnsafeKeys, findDevices, findSettings]
