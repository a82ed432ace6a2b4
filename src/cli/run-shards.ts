import { constants } from 'node:os'
import { extname, join } from 'node:path'
import { EventHub } from '../api/event-hub.ts'
import type { ProgramStreams } from '../api/types/run.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import {
  bindOption,
  type Call,
  clientOf,
  flag,
  numberOption,
  textOption,
  timelineOption,
  timeoutOption,
} from './call.ts'
import { openMarkedOutput } from './output.ts'
import { openShardLines } from './shard-lines.ts'
import { openShardReader, type ShardReader } from './shard-reader.ts'
import { tellFailure } from './tell-failure.ts'
import { cleanText } from './terminal-text.ts'

/** More fleets than that need more networks than an engine has by default. */
const MOST_SHARDS = 24

/** Styles of the marks, in turn. */
const styles = ['cyan', 'yellow', 'green', 'red'] as const

type RunOne = (call: Call) => Promise<number>

interface Ended {
  readonly shard: number
  readonly exitCode: number
  /** Undefined when the command ran. */
  readonly error?: unknown
}

/**
 * Runs the command several times at once, each time in its own session. Images are built once, before anything starts.
 * Resolves with the exit code of the first shard, by number, that failed. When nobody reads the output any more, all
 * shards end, with the exit code of SIGPIPE.
 */
export async function runShards(call: Call, runOne: RunOne): Promise<number> {
  const shards = readShards(call)
  const { file, output, signal } = call
  const servers = [call.options.server ?? []].flat().map(String)
  const shared = { servers, bind: bindOption(call), timeoutMs: timeoutOption(call), bundle: textOption(call, 'bundle') }
  await clientOf(call).prepareShards(file, { ...shared, shards, signal })
  output.endProgress()
  // Each shard listens to the signals for its command.
  process.setMaxListeners(Math.max(process.getMaxListeners(), 2 * shards + 10))
  const numbers = Array.from({ length: shards }, (_, index) => index + 1)
  const reader = openShardReader(process)
  const own = { ...call, signal: AbortSignal.any([signal, reader.unread]) }
  const ended = await Promise.all(numbers.map((shard) => runShard(own, { shard, shards }, reader, runOne)))
  const bug = ended.find(({ error }) => error !== undefined && !isFailure(error))
  if (bug !== undefined) throw bug.error
  if (reader.unread.aborted) {
    // A stdout without a reader also ends the whole call, which then knows its exit code.
    signal.throwIfAborted()
    return 128 + constants.signals.SIGPIPE
  }
  const failed = ended.filter(({ exitCode }) => exitCode !== 0)
  // The end by a signal is reported once; --json prints one document.
  const thrown = failed.find(({ error }) => error !== undefined)
  if (thrown !== undefined && (signal.aborted || call.json)) throw thrown.error
  if (!call.quiet) output.tell(`${sumUp(failed, shards)}\n`)
  return failed[0]?.exitCode ?? 0
}

interface Position {
  readonly shard: number
  readonly shards: number
}

async function runShard(call: Call, position: Position, reader: ShardReader, runOne: RunOne): Promise<Ended> {
  const { shard } = position
  const own = describeShard(call, position, openLines(call, position, reader))
  try {
    return { shard, exitCode: await runOne(own) }
  } catch (error) {
    const isTold = isFailure(error) && !call.json && !(call.signal.aborted && error.leftovers === undefined)
    if (isTold) tellFailure(error, own.output, { isJson: false, isQuiet: call.quiet, isUnread: false })
    return { shard, exitCode: isFailure(error) ? error.exitCode : 1, error }
  }
}

function openLines({ output, host }: Call, { shard }: Position, reader: ShardReader): ProgramStreams {
  const lines = openShardLines({
    mark: cleanText(nameMark(shard, output), false),
    isOnCi: ['CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION'].some((name) => host.environment[name]),
    stdout: reader.stdout,
    stderr: reader.stderr,
  })
  return { ...lines, unread: reader.unread }
}

function nameMark(shard: number, { palette }: Call['output']): string {
  return `${palette.style(styles[(shard - 1) % styles.length] ?? 'cyan', `[${shard}]`)} `
}

/** The call of one shard: `run` with its own output, session and files. */
export function describeShard(call: Call, { shard, shards }: Position, streams: ProgramStreams): Call {
  const output = openMarkedOutput(call, nameMark(shard, call.output))
  const hub = new EventHub()
  hub.add(output.onEvent)
  if (call.recordEvent !== undefined) hub.add(call.recordEvent)
  const folder = textOption(call, 'attach-logs')
  const bundle = textOption(call, 'bundle')
  const files = {
    ...(folder !== undefined && { 'attach-logs': join(folder, `shard-${shard}`) }),
    ...(bundle !== undefined && { bundle: numberFile(bundle, shard) }),
    timeline: timelineOption(call)?.map((file) => numberFile(file, shard)),
  }
  return {
    ...call,
    session: call.session === undefined ? undefined : `${call.session}-${shard}`,
    options: { ...call.options, ...files },
    command: call.command.map((word) => fillPlaces(word, { shard, shards })),
    output,
    hub,
    shard: {
      environment: { TESTFLEET_SHARD_INDEX: String(shard), TESTFLEET_SHARD_COUNT: String(shards) },
      streams,
    },
  }
}

/** `${shard}` belongs to a shell. */
function fillPlaces(word: string, { shard, shards }: Position): string {
  return word.replaceAll(/(?<!\$)\{(shards?)\}/g, (_, name) => String(name === 'shard' ? shard : shards))
}

/** `failure.tar.gz` is `failure-2.tar.gz` for the second shard. */
export function numberFile(file: string, shard: number): string {
  const ending = /\.tar\.\w+$/.exec(file)?.[0] ?? extname(file)
  return `${file.slice(0, file.length - ending.length)}-${shard}${ending}`
}

function readShards(call: Call): number {
  const shards = numberOption(call, 'shards') ?? 1
  if (shards < 1 || shards > MOST_SHARDS)
    throw new TestfleetError('USAGE', `--shards takes a number from 1 to ${MOST_SHARDS}, not ${shards}`, {
      hint: 'Start with `--shards 2`: each shard starts all servers of the fleet.',
    })
  if (flag(call, 'debug'))
    throw new TestfleetError('USAGE', '--shards and --debug cannot be used together', {
      hint: 'Run the shard that fails alone, with --debug.',
    })
  return shards
}

function sumUp(failed: readonly Ended[], shards: number): string {
  const all = `${shards} ${shards === 1 ? 'shard' : 'shards'}`
  if (failed.length === 0) return `${all} passed`
  const list = failed.map(({ shard, exitCode }) => `${shard} (exit code ${exitCode})`)
  return `${failed.length} of ${all} failed: ${list.join(', ')}`
}
