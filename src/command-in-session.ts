import { giveEnvironment, socketVariables } from './endpoints/environment.ts'
import { leaveOuterTrust, leaveOutTrust } from './endpoints/trust-variables.ts'
import type { OnEvent } from './model/events.ts'
import type { Host } from './model/host.ts'
import type { NamedServer } from './model/running.ts'
import {
  type CommandGuard,
  checkInterpreter,
  findProgram,
  giveNames,
  ignoringSignals,
  type NameWay,
  type Program,
  type ProgramStreams,
  runProgram,
  startCommandGuard,
} from './names/names.ts'
import { checkCommandList } from './report/command-list.ts'
import { describeUnusable } from './report/unusable.ts'
import type { SessionVariables } from './report/variables.ts'
import type { Membership } from './up/membership.ts'
import type { AttachRequest } from './why/attach-logs.ts'

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
  /** Where its output goes; undefined for our streams. With them, it has no standard input. */
  readonly streams?: ProgramStreams | undefined
  /** Called when the command is about to start. */
  readonly onStart: () => void
  /** Called once the command runs. */
  readonly onRunning?: (() => void) | undefined
  /** Returns whether a failure bundle is written when it fails. `ends` is whether a server had ended meanwhile. */
  readonly isBundleWanted: (ends: boolean) => boolean
  /** Where the logs go when it fails; undefined for nowhere. */
  readonly attach?: AttachRequest | undefined
}

/** What a command is given from a session. */
export interface CommandView {
  readonly variables: SessionVariables
  readonly servers: readonly NamedServer[]
  /** The command starts once this resolves; undefined for servers that are ready. */
  readonly ready?: Promise<void>
}

/** The session of a command. */
export interface CommandSession extends Pick<Membership, 'report' | 'socket'> {
  /** Path of the socket at which its servers are lent. */
  readonly lender: string
}

/** What a command is run with. It needs no engine. */
export interface CommandTools {
  readonly host: Host
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
}

/** Finds the program of a command. Fails with USAGE, before anything is started for it. */
export async function findCommand(command: readonly string[], host: Host): Promise<Program> {
  checkCommandList(command)
  const [argv0 = '', ...words] = command
  return { path: await findProgram(argv0, host), argv0, words }
}

/**
 * Runs a command, and resolves with its exit code. What it is given is read while its interpreter is checked. Everything
 * that can be is done before the servers are ready.
 */
export async function runCommand(
  member: CommandSession,
  request: CommandRequest,
  view: Promise<CommandView>,
  tools: CommandTools,
): Promise<number> {
  const { host, signal, onEvent } = tools
  onEvent({ kind: 'phaseBegan', phase: 'names' })
  const [{ variables: session, servers, ready }] = await Promise.all([view, checkInterpreter(request.path)])
  const caller = request.trust ? host : { ...host, environment: leaveOuterTrust(host.environment) }
  const giveFor = (names: ReadonlySet<string>) => {
    const variables = session.environmentFor(names)
    return giveEnvironment(caller, {
      ...(request.trust ? variables : leaveOutTrust(variables)),
      ...socketVariables(member),
      ...request.variables,
    })
  }
  const { variables: unnamed } = giveFor(new Set())
  const { domain } = member.report
  const given = await giveNames({ wanted: request.names, domain, servers, environment: unnamed }, tools)
  let guard: CommandGuard | undefined
  try {
    const { variables: named, replaced } = giveFor(given.names)
    const changed = Object.entries(named).filter(([name, value]) => value !== unnamed[name])
    const environment = { ...given.environment, ...Object.fromEntries(changed) }
    const inside = { ...host, environment }
    const foundAs = await findShortName(request, inside)
    const ignoring = request.ignored.length > 0 && (await ignoringSignals(request, foundAs, request.ignored, inside))
    const program = ignoring ? given.inside(ignoring, ignoring.path) : given.inside(request, foundAs)
    // Only now: a second Node that starts would slow down what gives the names.
    guard = startCommandGuard(host)
    await ready
    request.onStart()
    const warnings = [
      ...describeUnusable(member.report),
      ...describeReplaced(replaced),
      ...(ignoring === undefined ? [describeNotIgnored(request)] : []),
    ]
    for (const message of warnings) onEvent({ kind: 'warned', message })
    onEvent({ kind: 'phaseBegan', phase: 'command' })
    return await runProgram(program, environment, signal, { ...request, guard })
  } finally {
    guard?.end()
    given.close()
  }
}

function describeReplaced(replaced: readonly string[]): string[] {
  if (replaced.length === 0) return []
  return [`the session gives the command its own ${replaced.join(', ')}, in place of what was set here`]
}

function describeNotIgnored({ ignored }: CommandRequest): string {
  return `the command does not ignore ${ignored.join(', ')}, as its caller does: this needs \`env\` of GNU coreutils 8.31`
}

/** Returns the name that it was called by, if every program with its environment finds the same file; else its path. */
async function findShortName({ path, argv0 }: Program, host: Host): Promise<string> {
  const isFound = Boolean(host.environment.PATH) && (await findProgram(argv0, host).catch(() => undefined)) === path
  const isSame = argv0.includes('/') || isFound
  return isSame ? argv0 : path
}
