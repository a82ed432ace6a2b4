import { giveEnvironment } from '../endpoints/environment.ts'
import { leaveOuterTrust, leaveOutTrust } from '../endpoints/trust-variables.ts'
import {
  checkInterpreter,
  findProgram,
  giveNames,
  ignoringSignals,
  listHandedDescriptors,
  type NameWay,
  nameWays,
  type Program,
  runProgram,
  startCommandGuard,
} from '../names/names.ts'
import { openEnvironment } from '../report/environment.ts'
import { readNames } from '../report/names.ts'
import { cleanupSignal } from '../sessions/end.ts'
import { wordTakenDown } from '../sessions/taken-down.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/up.ts'
import { type Call, choice } from './call.ts'
import { foldSummary } from './fold-summary.ts'
import { formatBundle } from './format-failure.ts'

/** The command of a call, which stands behind `--`, and how it is given the names of the servers. */
export interface Errand extends Program {
  readonly names: NameWay
  /** Numbers of the descriptors that the caller has opened for it. */
  readonly descriptors: readonly number[]
}

/** Fails with USAGE, before anything is started for it. */
export async function readErrand(call: Call): Promise<Errand> {
  const descriptors = listHandedDescriptors(call.host)
  const names = choice(call, 'names', nameWays) ?? 'auto'
  const [argv0 = '', ...words] = call.command
  return { path: await findProgram(argv0, call.host), argv0, words, names, descriptors }
}

/** Runs the command with what a session gives it, and leaves the session; resolves with the exit code. */
export async function runInSession(member: Membership, errand: Errand, call: Call, tools: Tools): Promise<number> {
  try {
    const startedAtMs = Date.now()
    const exitCode = await runErrand(member, errand, call, tools)
    // Before what it used is gone.
    if (!call.signal.aborted && !(await tellTakenDown(exitCode, member, call, tools))) {
      const hasEnds = await tellEnds(member, startedAtMs, call, tools)
      if (exitCode !== 0 && isBundleWanted(hasEnds, call, tools))
        await captureFailedCommand(exitCode, member, call, tools)
    }
    return exitCode
  } finally {
    await leave(member, tools)
    call.output.endProgress()
  }
}

async function runErrand(member: Membership, errand: Errand, call: Call, tools: Tools): Promise<number> {
  const [variablesFor, servers] = await Promise.all([
    openEnvironment(member.record, member.report, tools),
    readNames(member.record, tools),
    checkInterpreter(errand.path),
  ])
  const isTrusting = call.options.trust !== false
  const caller = isTrusting ? call.host : { ...call.host, environment: leaveOuterTrust(call.host.environment) }
  const giveFor = (names: ReadonlySet<string>) => {
    const variables = variablesFor(names)
    return giveEnvironment(caller, {
      ...(isTrusting ? variables : leaveOutTrust(variables)),
      TESTFLEET_KEEPER: member.socket,
    })
  }
  const { variables: unnamed } = giveFor(new Set())
  const { domain } = member.report
  const guard = startCommandGuard(call.host)
  const given = await giveNames({ wanted: errand.names, domain, servers, environment: unnamed }, tools)
  try {
    call.output.endProgress()
    const { variables: named, replaced } = giveFor(given.names)
    const changed = Object.entries(named).filter(([name, value]) => value !== unnamed[name])
    const environment = { ...given.environment, ...Object.fromEntries(changed) }
    if (replaced.length > 0) {
      const message = `the session gives the command its own ${replaced.join(', ')}, in place of what was set here`
      tools.onEvent({ kind: 'warned', message })
    }
    const foundAs = await findShortName(errand, { ...call.host, environment })
    const ignoring = await ignoreFor(errand, foundAs, { ...call, host: { ...call.host, environment } })
    const program = ignoring === undefined ? given.inside(errand, foundAs) : given.inside(ignoring, ignoring.path)
    return await runProgram(program, environment, call.signal, { ...errand, ignored: call.ignored, guard })
  } finally {
    guard.end()
    given.close()
  }
}

/** The program that starts the command with the signals ignored that our caller ignores. */
async function ignoreFor(errand: Errand, foundAs: string, call: Call): Promise<Program | undefined> {
  if (call.ignored.length === 0) return undefined
  const program = await ignoringSignals(errand, foundAs, call.ignored, call.host)
  if (program !== undefined) return program
  const message = `the command does not ignore ${call.ignored.join(', ')}, as its caller does: this needs \`env\` of GNU coreutils 8.31`
  call.output.onEvent({ kind: 'warned', message })
  return undefined
}

/** What it was called by, where that leads to the same file for whoever starts it in its own environment; else its path. */
async function findShortName({ path, argv0 }: Errand, host: Call['host']): Promise<string> {
  const isFound = Boolean(host.environment.PATH) && (await findProgram(argv0, host).catch(() => undefined)) === path
  const isSame = argv0.includes('/') || isFound
  return isSame ? argv0 : path
}

/**
 * Whether the session is gone, so that nothing can be said of its servers. Reports that to a command that failed, and
 * whatever its result when another process has done it: `down` can also be what the command of `run` calls.
 */
async function tellTakenDown(exitCode: number, member: Membership, call: Call, tools: Tools): Promise<boolean> {
  const { id, name } = member.record
  const found = await tools.sessions.find(id, { signal: call.signal }).catch(() => member.record)
  if (found !== undefined) return false
  const news = member.heard()
  if (exitCode === 0 && news === undefined) return true
  const message = `${wordTakenDown(name, news)}, while ${call.command[0]} ran`
  tools.onEvent({ kind: 'warned', message })
  return true
}

/** Reports servers that ended while the command ran: it may have failed, or passed, because of that. */
async function tellEnds(member: Membership, fromMs: number, { output }: Call, tools: Tools): Promise<boolean> {
  const { describeEnds } = await import('../report/ended.ts')
  // An engine that does not answer changes nothing about the command's result.
  const ends = await describeEnds(member, fromMs, tools).catch(() => [])
  if (ends.length > 0) output.tell(ends.map((end) => `${output.palette.style('yellow', 'warning:')} ${end}\n`).join(''))
  return ends.length > 0
}

/** A person sees why a command fails, again and again; with --quiet nobody would learn of a folder. */
function isBundleWanted(hasEnds: boolean, { quiet, output }: Call, { recorder }: Tools): boolean {
  return recorder.archive !== undefined || (!quiet && (hasEnds || !output.isTerminal))
}

/** Keeps what the servers look like after a command that failed, while they are there. */
async function captureFailedCommand(exitCode: number, { record }: Membership, call: Call, tools: Tools): Promise<void> {
  const { captureState } = await import('../failure/bundle/capture.ts')
  const what = `the command ended with exit code ${exitCode}`
  const bundle = await captureState(`${what}: ${call.command[0]}`, record, tools)
  if (call.quiet) return
  call.output.endProgress()
  call.output.tell(`${[what, ...formatBundle(bundle)].join('\n')}\n`)
  call.output.tell(foldSummary(bundle.summary, call.host.environment) ?? '')
}

/** With a deadline of its own: the call's signal may be what ended the command. */
async function leave(member: Membership, tools: Tools): Promise<void> {
  const others = await member.end({ ...tools, signal: await cleanupSignal(member.record.id, tools) })
  if (others === 0) return
  const who = others === 1 ? 'another holds it' : `${others} others hold it`
  tools.onEvent({ kind: 'warned', message: `the session ${member.report.session} stays: ${who}` })
}
