import { giveEnvironment } from './endpoints/environment.ts'
import { leaveOuterTrust, leaveOutTrust } from './endpoints/trust-variables.ts'
import { lenderSocket } from './lender/protocol.ts'
import type { Host } from './model/host.ts'
import {
  checkInterpreter,
  findProgram,
  giveNames,
  ignoringSignals,
  type NameWay,
  type Program,
  runProgram,
  startCommandGuard,
} from './names/names.ts'
import { checkCommandList } from './report/command-list.ts'
import { describeEnds, describeUnusable } from './report/ended.ts'
import { openEnvironment } from './report/environment.ts'
import { readNames } from './report/names.ts'
import { describeTakenDown } from './sessions/taken-down.ts'
import type { Tools } from './tools.ts'
import type { Membership } from './up/membership.ts'

/** A command on this machine, and what it gets from a session. */
export interface CommandRequest extends Program {
  readonly names: NameWay
  /** Variables that it gets in addition to those of the session, or in their place. */
  readonly variables: Readonly<Record<string, string>>
  /** Whether it gets the variables by which clients trust the certificates of the fleet. */
  readonly trust: boolean
  /** Descriptors that it gets in addition to the standard streams. */
  readonly descriptors: readonly number[]
  /** Signals that it must ignore, as the caller of this program does. */
  readonly ignored: readonly NodeJS.Signals[]
  /** Signals that are forwarded to it. Without any, the command is ended when `tools.signal` fires. */
  readonly forwarded: readonly NodeJS.Signals[]
  /** Called when the command is about to start. */
  readonly onStart: () => void
  /** Returns whether a failure bundle is written when it fails. `ends` is whether a server had ended meanwhile. */
  readonly isBundleWanted: (ends: boolean) => boolean
}

export interface CommandResult {
  readonly exitCode: number
  /** A sentence for each server that ended while the command ran: it may have failed, or passed, because of that. */
  readonly ended: readonly string[]
  readonly bundle: CommandBundle | undefined
}

/** State of the servers after a command that failed. */
export interface CommandBundle {
  readonly folder: string | undefined
  readonly archive: string | undefined
  readonly problem: string | undefined
  readonly summary: string
}

/** Finds the program of a command. Fails with USAGE, before anything is started for it. */
export async function findCommand(command: readonly string[], host: Host): Promise<Program> {
  checkCommandList(command)
  const [argv0 = '', ...words] = command
  return { path: await findProgram(argv0, host), argv0, words }
}

/** Runs a command with the variables and names of a session. */
export async function runInSession(member: Membership, request: CommandRequest, tools: Tools): Promise<CommandResult> {
  const startedAtMs = Date.now()
  const exitCode = await runCommand(member, request, tools)
  const nothing = { exitCode, ended: [], bundle: undefined }
  if (tools.signal.aborted || (await tellTakenDown(exitCode, member, request, tools))) return nothing
  // An engine that does not answer changes nothing about the command's result.
  const ended = await describeEnds(member, startedAtMs, tools).catch(() => [])
  if (exitCode === 0 || !request.isBundleWanted(ended.length > 0)) return { exitCode, ended, bundle: undefined }
  const { captureState } = await import('./failure/bundle/capture.ts')
  const what = `the command ended with exit code ${exitCode}: ${request.argv0}`
  return { exitCode, ended, bundle: await captureState(what, member.record, tools) }
}

async function runCommand(member: Membership, request: CommandRequest, tools: Tools): Promise<number> {
  const { host, signal, onEvent } = tools
  onEvent({ kind: 'phaseBegan', phase: 'names' })
  const [variablesFor, servers] = await Promise.all([
    openEnvironment(member.record, member.report, tools),
    readNames(member.record, tools),
    checkInterpreter(request.path),
  ])
  const caller = request.trust ? host : { ...host, environment: leaveOuterTrust(host.environment) }
  const giveFor = (names: ReadonlySet<string>) => {
    const variables = variablesFor(names)
    return giveEnvironment(caller, {
      ...(request.trust ? variables : leaveOutTrust(variables)),
      TESTFLEET_KEEPER: member.socket,
      TESTFLEET_LENDER: lenderSocket(member.record.id, host),
      ...request.variables,
    })
  }
  const { variables: unnamed } = giveFor(new Set())
  const { domain } = member.report
  const guard = startCommandGuard(host)
  const given = await giveNames({ wanted: request.names, domain, servers, environment: unnamed }, tools)
  try {
    request.onStart()
    for (const message of describeUnusable(member.report)) tools.onEvent({ kind: 'warned', message })
    const { variables: named, replaced } = giveFor(given.names)
    const changed = Object.entries(named).filter(([name, value]) => value !== unnamed[name])
    const environment = { ...given.environment, ...Object.fromEntries(changed) }
    if (replaced.length > 0) {
      const message = `the session gives the command its own ${replaced.join(', ')}, in place of what was set here`
      tools.onEvent({ kind: 'warned', message })
    }
    const inside = { ...tools, host: { ...host, environment } }
    const foundAs = await findShortName(request, inside.host)
    const ignoring = await ignoreFor(request, foundAs, inside)
    const program = ignoring === undefined ? given.inside(request, foundAs) : given.inside(ignoring, ignoring.path)
    onEvent({ kind: 'phaseBegan', phase: 'command' })
    return await runProgram(program, environment, signal, { ...request, guard })
  } finally {
    guard.end()
    given.close()
  }
}

/** Program that starts the command with the signals ignored that our caller ignores. */
async function ignoreFor(
  request: CommandRequest,
  foundAs: string,
  { host, onEvent }: Tools,
): Promise<Program | undefined> {
  if (request.ignored.length === 0) return undefined
  const program = await ignoringSignals(request, foundAs, request.ignored, host)
  if (program !== undefined) return program
  const message = `the command does not ignore ${request.ignored.join(', ')}, as its caller does: this needs \`env\` of GNU coreutils 8.31`
  onEvent({ kind: 'warned', message })
  return undefined
}

/** Returns the name that it was called by, if every program with its environment finds the same file; else its path. */
async function findShortName({ path, argv0 }: Program, host: Host): Promise<string> {
  const isFound = Boolean(host.environment.PATH) && (await findProgram(argv0, host).catch(() => undefined)) === path
  const isSame = argv0.includes('/') || isFound
  return isSame ? argv0 : path
}

/**
 * Whether the session is gone, so that nothing is known of its servers. Reports that after a command that failed, and
 * after any command when another process has removed it: `down` can also be what the command itself calls.
 */
async function tellTakenDown(
  exitCode: number,
  member: Membership,
  { argv0 }: Program,
  { sessions, signal, onEvent }: Tools,
): Promise<boolean> {
  const { id, name } = member.record
  const found = await sessions.find(id, { signal }).catch(() => member.record)
  if (found !== undefined) return false
  const news = member.takenDown()
  if (exitCode === 0 && news === undefined) return true
  onEvent({ kind: 'warned', message: `${describeTakenDown(name, news)}, while ${argv0} ran` })
  return true
}
