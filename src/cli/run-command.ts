import { describeCaller } from '../api/command-caller.ts'
import type { AttachedLogs, CommandCaller, CommandOptions, RunResult } from '../api/types/run.ts'
import { failureCodes, isFailure } from '../model/failures.ts'
import { type Call, choice, textOption } from './call.ts'
import { foldSummary } from './fold-summary.ts'
import { formatBundle } from './format-failure.ts'

const ways = ['auto', 'namespace', 'proxy', 'none'] as const

/** How the command after `--` is run. Call it before anything is opened. Fails with USAGE. */
export function readCommandOptions(call: Call, lookAround?: CommandCaller['lookAround']): CommandOptions {
  const { output, quiet, ignored, signal, shard } = call
  const hasArchive = textOption(call, 'bundle') !== undefined
  const caller = describeCaller({
    ignored,
    forwarded: (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).filter((name) => !ignored.includes(name)),
    onStart: output.endProgress,
    streams: shard?.streams,
    lookAround,
    // A person sees why a command fails, again and again; with --quiet nobody would learn of a folder.
    isBundleWanted: (ends) => hasArchive || (!quiet && (ends || !output.isTerminal)),
  })
  const attachLogs = textOption(call, 'attach-logs')
  const own = { environment: shard?.environment, attachLogs, signal, caller }
  return { names: choice(call, 'names', ways), trust: call.options.trust !== false, ...own }
}

/** Reports what else is to be known of a command that has ended. Returns its exit code. */
export async function tellResult(result: RunResult, call: Call): Promise<number> {
  const { exitCode, ended, bundle, causes = [], attached } = result
  const { output, quiet, host } = call
  output.endProgress()
  // With --debug, they were reported before.
  if (ended.length > 0 && call.options.debug !== true)
    output.tell(ended.map((end) => `${output.palette.style('yellow', 'warning:')} ${end}\n`).join(''))
  if (causes.length > 0) output.tell(`${nameWhy(call)} says what was wrong with the servers\n`)
  if (attached !== undefined) await tellAttached(result, attached, call)
  if (bundle === undefined || quiet) return exitCode
  output.tell(`${[`the command ended with exit code ${exitCode}`, ...formatBundle(bundle)].join('\n')}\n`)
  output.tell(foldSummary(bundle.summary, host.environment) ?? '')
  return exitCode
}

/** Says where the logs are. A job of GitHub Actions also gets them on its page. */
async function tellAttached(result: RunResult, { folder, problems }: AttachedLogs, call: Call): Promise<void> {
  const { output, quiet } = call
  const warn = (text: string): void => output.tell(`${output.palette.style('yellow', 'warning:')} ${text}\n`)
  if (!quiet) output.tell(`logs of the servers, why.txt first: ${folder}\n`)
  problems.forEach(warn)
  await tellGitHub(result, call)
}

/** Marks the place of a start that has failed before the command ran. */
export async function markFailedStart(error: unknown, call: Call): Promise<void> {
  if (!isFailure(error) || error.exitCode === failureCodes.CANCELLED) return
  const { message, hint, server, at } = error
  const sentence = message.split('\n', 1)[0] ?? ''
  await tellGitHub({ causes: [{ rule: 'failed', server, sentence, evidence: [], hint, ...at }] }, call)
}

async function tellGitHub(result: Pick<RunResult, 'causes' | 'attached'>, { output, host, command }: Call) {
  const { GITHUB_ACTIONS: isOnGitHub } = host.environment
  if (!isOnGitHub || /^(?:0|false)$/i.test(isOnGitHub)) return
  const { addStepSummary, formatForGitHub, formatStepSummary } = await import('./github-report.ts')
  output.endProgress()
  output.tell(formatForGitHub(result, host))
  const problem = await addStepSummary(formatStepSummary(result, command.join(' ')), host)
  if (problem !== undefined) output.tell(`warning: the summary of the job was not written: ${problem}\n`)
}

/** The call that explains the run. It has the same fleet file and session as this one. */
function nameWhy({ file, session }: Call): string {
  const options = [
    ...(file === undefined ? [] : ['-f', file]),
    ...(session === undefined ? [] : ['--session', session]),
  ]
  return `\`${['testfleet why', ...options].join(' ')}\``
}
