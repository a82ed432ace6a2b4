import type { Sighting, Subject } from '../subject.ts'
import { listCommands } from '../texts.ts'
import { eachContainer, eachServer } from '../walk.ts'

const LONGEST_MS = 10 * 60_000

/** Reports missing or long waits. */
const findReadiness = eachServer(function* ({ name, ready, readyTimeoutMs, dependsOn }, { fleet }) {
  const at: readonly string[] = ['servers', name]
  if (ready.length === 0) yield { id: 'ready-missing', at: { key: at }, message: 'no check says when it is ready' }
  else if (ready.every(({ kind }) => kind === 'log'))
    yield { id: 'ready-log-only', at: { value: [...at, 'ready'] }, message: 'only its log is checked' }
  if (readyTimeoutMs > LONGEST_MS) {
    const message = `the wait can take ${Math.round(readyTimeoutMs / 60_000)} minutes`
    yield { id: 'ready-timeout-long', at: { value: [...at, 'readyTimeout'] }, message }
  }
  for (const [index, needed] of dependsOn.entries()) {
    if (fleet.servers.get(needed)?.ready.length !== 0) continue
    const place = { value: [...at, 'dependsOn', index] }
    yield { id: 'dependency-without-ready', at: place, message: `no check says when \`${needed}\` is ready` }
  }
})

/** Reports resources without a limit. */
const findLimits = eachContainer(function* ({ name, limits, tmpfs }) {
  if (limits.memoryBytes === undefined)
    yield { id: 'memory-unlimited', at: { key: ['servers', name] }, message: 'it can use all memory' }
  for (const [index, { to, sizeBytes }] of tmpfs.entries()) {
    const at = { value: ['servers', name, 'tmpfs', index] }
    if (sizeBytes === undefined) yield { id: 'tmpfs-unsized', at, message: `${to} can grow without limit` }
  }
})

/** Reports servers that nothing uses, as far as the file says. A server that depends on others or ends by itself is used. */
function* findUnused({ fleet }: Subject): Iterable<Sighting> {
  const needed = new Set([...fleet.servers.values()].flatMap(({ dependsOn }) => dependsOn))
  for (const { name, ports, export: exported, dependsOn, ready } of fleet.servers.values()) {
    const isReached = ports.length > 0 || exported.size > 0 || needed.has(name)
    if (isReached || dependsOn.length > 0 || ready.some(({ kind }) => kind === 'exit')) continue
    const message = 'it has no port and no export, and no server depends on it'
    yield { id: 'server-unused', server: name, at: { key: ['servers', name] }, message }
  }
}

/** Reports shell text in commands that runs the value of a variable. */
const findEvaluations = eachServer(function* (server) {
  for (const { at, argumentList } of listCommands(server)) {
    const index = argumentList.findIndex((argument) => /(?:^|[;&|(\s])eval\s[^\n]{0,500}\$/m.test(argument))
    const message = 'the command evaluates text with variables in it'
    if (index !== -1) yield { id: 'shell-evaluates', at: { value: [...at, index] }, message }
  }
})

/** Reports presets with the option `login: false`. */
const findOpenLogins = eachServer(function* ({ name, options }) {
  const at = { value: ['servers', name, 'options', 'login'] }
  if (options.login === false) yield { id: 'login-off', at, message: 'it requires no login' }
})

export const serverRules = [findEvaluations, findOpenLogins, findReadiness, findLimits, findUnused]
