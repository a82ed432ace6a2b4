import type { Server } from '../model/fleet.ts'
import { findMissingCapabilities, isRoot, type Rights } from './missing-capabilities.ts'

/** A server whose log is read, as its fleet file declares it. */
export type KnownServer = Rights & Partial<Pick<Server, 'mounts' | 'readOnly' | 'dependsOn'>>

/** Returns what is wrong and what to do, according to a server's log: one sentence, or undefined. */
export function findCauseInLog(
  server: string,
  lines: readonly string[],
  known: KnownServer | undefined,
): string | undefined {
  for (const find of [
    findScript,
    findVolume,
    findCapability,
    findReadOnly,
    findDevice,
    findName,
    findAddress,
    findPeer,
    findVariable,
    findLibrary,
    findProgram,
    findKilled,
  ]) {
    const cause = find(lines, server, known)
    if (cause !== undefined) return cause
  }
  return undefined
}

type Find = (lines: readonly string[], server: string, known: KnownServer | undefined) => string | undefined

/** Returns the first line that matches the pattern, and its groups. */
function match(lines: readonly string[], pattern: RegExp): readonly string[] | undefined {
  for (const line of lines) {
    const found = pattern.exec(line)
    if (found !== null) return found
  }
  return undefined
}

const CRLF = /\r: (?:command )?not found|\$'\\r'|\^M|\r': No such file/

const findScript: Find = (lines) =>
  match(lines, CRLF) === undefined
    ? undefined
    : 'The lines of its script end in CR LF: save it with LF alone (`.gitattributes`: `*.sh text eol=lf`).'

const REFUSED_PATH =
  /(\/[^\s:'"`,)\]]*)[^/]*?(?:permission denied|EACCES|not permitted)|(?:permission denied|EACCES)[^/]*(\/[^\s:'"`,)\]]*)/i

const findVolume: Find = (lines, server, known) => {
  if (known?.mounts === undefined || isRoot(known.user)) return undefined
  const [, before, after] = match(lines, REFUSED_PATH) ?? []
  const path = before ?? after
  const mount = known.mounts.find(({ to }) => path === to || path?.startsWith(`${to.replace(/\/$/, '')}/`))
  if (mount === undefined) return undefined
  const what = mount.kind === 'volume' ? `The volume \`${mount.volume}\`` : `What is mounted`
  return `${what} at ${mount.to} does not belong to ${known.user}, whom ${server} runs as: make that folder in the image, owned by ${known.user} (\`build.run\`: \`install -d -o ${known.user} ${mount.to}\`), and start with a new volume.`
}

const findCapability: Find = (lines, server, known) => {
  const missing = known === undefined ? [] : findMissingCapabilities(lines, known)
  if (missing.length === 0) return undefined
  const what = missing.length === 1 ? 'a capability' : 'capabilities'
  return `It lacks ${what}: add \`capAdd: [${missing.join(', ')}]\` to ${server}.`
}

const findReadOnly: Find = (lines, _, known) =>
  known?.readOnly === true && match(lines, /read-only file system|EROFS/i) !== undefined
    ? 'Its root is read-only: list the folders that it writes to in `tmpfs`.'
    : undefined

const findDevice: Find = (lines) => {
  const [, device] =
    match(
      lines,
      /(\/dev\/(?!null|std|fd|tty\b|pts)[\w/-]+)[^/]*?(?:no such (?:file|device)|does not exist|not found)/i,
    ) ?? []
  return device === undefined
    ? undefined
    : `It has no device ${device}: add it to \`devices\`, if the engine's machine has it.`
}

/** How programs report that a host name does not resolve (glibc, musl, Go, Java, Node, curl, nginx, libpq). */
const unknownNames = [
  /could not (?:resolve host:?|translate host name) ["']?([a-z0-9][\w.-]*)/i,
  /host not found in upstream "([a-z0-9][\w.-]*)/i,
  /(?:unable|failed) to resolve(?: host)? ["']?([a-z0-9][\w.-]*)/i,
  /unknown ?host(?:exception)?:? ["']?([a-z0-9][\w.-]*)/i,
  /(?:ENOTFOUND|EAI_AGAIN) ([a-z0-9][\w.-]*)/,
  /lookup ([a-z0-9][\w.-]*)(?: on \S+)?: (?:no such host|server misbehaving)/,
  /bad address ["'`]?([a-z0-9][\w.-]*)/,
  /([a-z0-9][\w.-]*)["'`]?:? \(?(?:name or service not known|temporary failure in name resolution|name does not resolve)/i,
]

const findName: Find = (lines, server, known) => {
  const [, name] = unknownNames.map((pattern) => match(lines, pattern)).find((found) => found !== undefined) ?? []
  if (name === undefined) return undefined
  const [first = name] = name.split('.')
  if (known?.dependsOn?.includes(first))
    return `It does not find the host ${name}: look whether \`${first}\` still runs.`
  return `It does not find the host ${name}, as a server has its name only once it is started: if that is a server of this fleet, add \`dependsOn: [${first}]\` to ${server}. Two servers that need each other cannot both wait: give one \`restart: on-failure\`.`
}

const findAddress: Find = (lines) => {
  if (match(lines, /address already in use|EADDRINUSE/i) !== undefined)
    return 'Two programs in it want one port: look for one that is started twice.'
  return match(lines, /cannot assign requested address|EADDRNOTAVAIL/i) === undefined
    ? undefined
    : 'It needs an address that its container does not have: make it listen on 0.0.0.0.'
}

const findPeer: Find = (lines, server) =>
  match(lines, /connection refused|ECONNREFUSED/i) === undefined
    ? undefined
    : `Another server refused its connection: if that one was still starting, name it in \`dependsOn\` of ${server}.`

/** How programs report that a variable is not set (dash, bash, Python, and common checks of their own). */
const unsetVariables = [
  /: ([A-Za-z_]\w*): (?:parameter (?:null or )?not set|unbound variable)/,
  /KeyError: '([A-Z][A-Z\d_]{2,})'/,
  /variable:? ["'`]?([A-Z][A-Z\d_]{2,})["'`]? (?:(?:is|was) )?(?:not (?:set|defined|found)|missing|required|unset|must be set)/i,
  /\b([A-Z][A-Z\d]*_[A-Z\d_]+)["'`]?:? (?:(?:env(?:ironment)? )?(?:variable )?)(?:(?:is|was) )?(?:not set|required|missing|unset|must be set)/,
  /missing (?:required )?(?:env|environment) (?:variable|var):? ["'`]?([A-Z][A-Z\d_]{2,})/i,
]

const findVariable: Find = (lines, server) => {
  const [, name] = unsetVariables.map((pattern) => match(lines, pattern)).find((found) => found !== undefined) ?? []
  return name === undefined
    ? undefined
    : `It wants the environment variable ${name}: set it in \`environment\` of ${server}, or as one of its \`secrets\`.`
}

const findLibrary: Find = (lines) => {
  const [, library] = match(lines, /error while loading shared libraries: ([^\s:]+)/) ?? []
  return library === undefined
    ? undefined
    : `The image lacks the library ${library}: add the package that has it to \`build.packages\`.`
}

const findProgram: Find = (lines) => {
  const [, program] =
    match(lines, /^(?:\/\S+|(?:ba|da|a)?sh): (?:(?:line )?\d+: )?(?:exec: )?([\w.+-]+): (?:command )?not found$/) ?? []
  return program === undefined
    ? undefined
    : `The image has no program ${program}: correct its name, or add the package that has it to \`build.packages\`.`
}

/** A shell's message about a program killed by SIGKILL. The engine may not know it while the server lives (20.10). */
const findKilled: Find = (lines) =>
  match(lines, /^Killed$|: (?:line )?\d+: +\d+ Killed\b/) === undefined
    ? undefined
    : 'A process in it was killed (SIGKILL). If nobody did that, memory ran out: raise `limits.memory`.'
