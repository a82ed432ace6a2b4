import { readSignal } from '../formats/signal.ts'
import { formatSize } from '../formats/size.ts'
import type { Cause, RuleName } from '../model/cause.ts'
import type { FieldPath, Position } from '../model/fleet.ts'
import type { Evidence, SeenFailure, SeenServer } from '../model/run-note.ts'
import { hintForKill, KILLED, wordEnd, wordShortage } from '../ready/word-end.ts'
import { wordEvidence, wordLog } from './word-evidence.ts'

/** Returns the place of a field in the fleet file; undefined when the file cannot be read. */
export type Locate = (path: FieldPath) => Position | undefined

/** Finds causes in what was seen. It asks nothing. */
type Rule = (seen: Evidence, locate: Locate) => readonly Found[]

type Found = Omit<Cause, 'rule' | 'file' | 'line' | 'column'> & { readonly at: Position | SeenFailure['at'] }

/** Failures of a call, by the rule that explains them. */
const codes: Partial<Record<RuleName, readonly string[]>> = {
  image: ['BUILD_FAILED', 'PULL_FAILED', 'IMAGE_NOT_FOUND', 'CONTEXT_CHANGED', 'NO_PACKAGE_DATABASE'],
  'port-taken': ['PORT_TAKEN'],
  'not-started': ['START_FAILED', 'COMMAND_NOT_FOUND', 'SECRET_MISSING', 'SECRET_UNUSABLE'],
  hook: ['HOOK_FAILED'],
  died: ['SERVER_DIED'],
}

const NO_MEMORY = 'Start fewer servers at once, or give the machine of the engine more memory.'
const RAISE = 'Raise `limits.memory`.'

/** The rules, in the order in which they are asked. */
const rules: Readonly<Record<RuleName, Rule>> = {
  image: failureWith('image', ['build']),
  'port-taken': failureWith('port-taken', ['ports']),
  'not-started': failureWith('not-started', []),

  'out-of-memory': ({ servers }, locate) =>
    servers.filter(isOutOfMemory).map((seen) => {
      const { server, memoryBytes } = seen
      const at = locate(memoryBytes === undefined ? ['servers', server] : ['servers', server, 'limits', 'memory'])
      const limit = memoryBytes === undefined ? 'no limit is set' : `the limit is ${formatSize(memoryBytes)}`
      const hasEnded = seen.state === 'exited'
      const sentence = hasEnded
        ? `${server} ${wordEnd({ exitCode: seen.exitCode, isOutOfMemory: true, memoryBytes })}`
        : `a program of ${server} was killed for ${wordShortage({ memoryBytes })}`
      const hint = memoryBytes === undefined ? NO_MEMORY : RAISE
      return { server, sentence, at, hint, evidence: [`${limit} (\`limits.memory\`)`, ...wordEvidence(seen)] }
    }),

  hook: failureWith('hook', []),

  died: (seen, locate) =>
    seen.servers.filter(hasDied).map((one) => {
      const failure = failureOf(one.server, seen, codes.died)
      const sentence = failure?.message ?? `${one.server} ${wordDeath(one)}`
      const hint = failure?.hint ?? hintForDeath(one)
      return { ...describe(one, failure, sentence, locate(['servers', one.server])), hint }
    }),

  restarted: ({ servers }, locate) =>
    servers
      .filter(({ restarts, isStopped }) => restarts > 0 && isStopped !== true)
      .map((one) => {
        const times = one.restarts === 1 ? 'once' : `${one.restarts} times`
        const sentence = `${one.server} ended and was restarted ${times}`
        return describe(one, undefined, sentence, locate(['servers', one.server]))
      }),

  'port-refused': (seen, locate) =>
    seen.servers
      .filter((one) => isUnready(one, seen) && Object.values(one.answers).some(isRefusedPort))
      .map((one) => {
        const sentence = `${one.server} was never ready: its port refuses connections${wordAnswers(one)}`
        return describe(one, unreadyFailure(one.server, seen), sentence, locate(['servers', one.server, 'ready']))
      }),

  'never-ready': (seen, locate) => {
    const known = seen.servers.filter((one) => isUnready(one, seen))
    return known.map((one) => {
      const failure = unreadyFailure(one.server, seen)
      const sentence = failure?.message ?? `${one.server} is not ready${wordAnswers(one)}`
      return describe(one, failure, sentence, locate(['servers', one.server, 'ready']))
    })
  },

  failed: ({ failure, servers }, locate) => {
    if (failure === undefined) return []
    const { server, message, hint } = failure
    const one = servers.find((seen) => seen.server === server)
    const at = failure.at ?? (server === undefined ? undefined : locate(['servers', server]))
    return [{ server, sentence: firstLine(message), at, hint, evidence: evidenceOf(failure, one) }]
  },
}

/**
 * Asks each rule in turn. A server has at most one cause, that of the first rule that finds one; the last rule is asked
 * only when no other has found anything.
 */
export function findCauses(seen: Evidence, locate: Locate): Cause[] {
  const causes: Cause[] = []
  for (const [rule, find] of Object.entries(rules) as [RuleName, Rule][]) {
    if (rule === 'failed' && causes.length > 0) break
    const known = new Set(causes.map(({ server }) => server))
    for (const { at, ...found } of find(seen, locate)) {
      if (!known.has(found.server)) causes.push({ rule, ...found, ...at })
    }
  }
  return causes
}

/** Finds the failures of a call that one rule explains. `field` is where the server declares what failed. */
function failureWith(rule: RuleName, field: FieldPath): Rule {
  return ({ failure, servers }, locate) => {
    if (failure === undefined || codes[rule]?.includes(failure.code) !== true) return []
    const { server, message, hint } = failure
    const at = failure.at ?? (server === undefined ? undefined : locate(['servers', server, ...field]))
    const one = servers.find((seen) => seen.server === server)
    return [{ server, sentence: firstLine(message), at, hint, evidence: evidenceOf(failure, one) }]
  }
}

function describe(
  one: SeenServer,
  failure: SeenFailure | undefined,
  sentence: string,
  at: Position | undefined,
): Found {
  const log = one.log.length === 0 ? wordLog(failure?.output ?? []) : []
  const evidence = [...wordEvidence(one), ...log]
  return { server: one.server, sentence: firstLine(sentence), at: failure?.at ?? at, hint: failure?.hint, evidence }
}

function evidenceOf(failure: SeenFailure, one: SeenServer | undefined): string[] {
  return failure.output.length > 0 || one === undefined ? wordLog(failure.output) : wordEvidence(one)
}

/** Whether it does not run although no call has stopped it, and did not end as its `exit` check demands. */
function hasDied({ state, exitCode, wantedCode, isStopped }: SeenServer): boolean {
  return state === 'exited' && isStopped !== true && (wantedCode === undefined || exitCode !== wantedCode)
}

function isOutOfMemory(one: SeenServer): boolean {
  return one.isOutOfMemory && one.isStopped !== true
}

/** Servers that were still starting when another one failed are not to blame. */
function isUnready(one: SeenServer, { failure }: Evidence): boolean {
  if (one.isReady !== false || one.state === 'exited') return false
  return failure === undefined || failure.code === 'TIMED_OUT' || failure.server === one.server
}

function unreadyFailure(server: string, seen: Evidence): SeenFailure | undefined {
  return failureOf(server, seen, ['READY_TIMEOUT', 'LOGIN_REFUSED', 'PORT_UNREACHABLE'])
}

function failureOf(
  server: string,
  { failure }: Evidence,
  wanted: readonly string[] | undefined,
): SeenFailure | undefined {
  return failure?.server === server && wanted?.includes(failure.code) === true ? failure : undefined
}

/** The answers of an operating system and of a proxy, not those of a server that refuses a login. */
function isRefusedPort(answer: string): boolean {
  return /connection refused|ECONNREFUSED/i.test(answer)
}

function wordDeath({ exitCode, wantedCode, restarts, memoryBytes }: SeenServer): string {
  const signal = exitCode === undefined ? undefined : readSignal(String(exitCode - 128))
  const end = `${wordEnd({ exitCode, isOutOfMemory: false, memoryBytes })}${signal === undefined ? '' : ` (${signal})`}`
  const wanted = wantedCode === undefined ? '' : `; it had to end with ${wantedCode}`
  const again = restarts === 0 ? '' : `, and was restarted ${restarts === 1 ? 'once' : `${restarts} times`} before`
  return `${end}${wanted}${again}`
}

function hintForDeath({ exitCode, container }: SeenServer): string | undefined {
  return exitCode === KILLED ? hintForKill(container) : undefined
}

function wordAnswers({ answers }: SeenServer): string {
  const words = Object.entries(answers).map(([check, answer]) => `${check}: ${answer}`)
  return words.length === 0 ? '' : ` (${words.join('; ')})`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
