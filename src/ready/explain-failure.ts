import { TestfleetError } from '../model/failures.ts'
import { isProcessId } from '../model/process-id.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { chooseHint, type Standing } from './choose-hint.ts'
import { explainScript } from './explain-script.ts'
import { findCauseInLog, type KnownServer } from './find-cause-in-log.ts'
import { findListeners } from './find-listeners.ts'
import { readLogEnd } from './read-log-end.ts'
import { nameCheck } from './run-check.ts'
import { type End, hintForKill, KILLED, readEnd, wordEnd, wordShortage } from './word-end.ts'

/** A server that did not become ready, or did not stay ready. */
interface FailedSubject {
  readonly server: string
  readonly containerId: string
  readonly runtime: Runtime
  readonly rights?: KnownServer
}

export async function explainDeath(
  subject: FailedSubject,
  exitCode: number,
  wantedCode: number | undefined,
  signal: AbortSignal,
  { wasReady = false }: { readonly wasReady?: boolean } = {},
): Promise<TestfleetError> {
  const end = await readEnd(subject, exitCode, signal)
  const { restarts } = end
  const again = restarts > 0 ? `, and was started again ${restarts === 1 ? 'once' : `${restarts} times`} before` : ''
  const output = await readLogEnd(subject, signal)
  const when = wasReady ? ' after it was ready' : ' before it was ready'
  const wanted = wantedCode === undefined ? when : `; it had to end with ${wantedCode}`
  const script = await explainScript(output, subject, signal)
  return new TestfleetError('SERVER_DIED', `${subject.server} ${wordEnd(end)}${wanted}${again}`, {
    server: subject.server,
    output,
    hint: script ?? hintForDeath(subject, end, wantedCode, output),
  })
}

/** Signals that end a faulty program, with what an engine reports for them. */
const crashes = new Map([
  [132, 'SIGILL: it has an instruction that this processor lacks'],
  [134, 'SIGABRT: it gave up by itself'],
  [135, 'SIGBUS: it read or wrote where there is no memory'],
  [136, 'SIGFPE: it divided by zero'],
  [139, 'SIGSEGV: it read or wrote where there is no memory'],
  [143, 'SIGTERM: somebody asked it to end'],
])

function hintForDeath(
  { server, containerId, rights }: FailedSubject,
  { isOutOfMemory, memoryBytes, exitCode = 0 }: End,
  wantedCode: number | undefined,
  output: readonly string[],
): string | undefined {
  if (isOutOfMemory) return memoryBytes === undefined ? GIVE_MEMORY : 'Raise `limits.memory`.'
  const isProcess = isProcessId(containerId)
  if (exitCode === KILLED) return hintForKill(containerId)
  if (exitCode === 0 && wantedCode === undefined) {
    return 'Its command went into the background or had nothing to do: keep it in the foreground, or declare `ready: [{ exit: 0 }]`.'
  }
  const crash = crashes.get(exitCode)
  const cause = findCauseInLog(server, output, rights)
  if (cause !== undefined) return cause
  if (crash !== undefined) return `It was ended by ${crash}.`
  if (output.length === 0)
    return `It logged nothing: run its command by hand${isProcess ? '' : ' in the image'} to see why.`
  return undefined
}

const GIVE_MEMORY = 'Start fewer servers at once, or give the machine of the engine more memory.'

function hintForShortage(end: End): string {
  const advice = end.memoryBytes === undefined ? GIVE_MEMORY : 'Raise `limits.memory`.'
  return `A process in it was killed for ${wordShortage(end)}. ${advice}`
}

export async function explainTimeout(
  subject: FailedSubject,
  timeoutMs: number,
  standings: readonly Standing[],
  signal: AbortSignal,
): Promise<TestfleetError> {
  const { server, rights: known } = subject
  const log = await readLogEnd(subject, signal)
  const listeners = await findListeners(subject, signal)
  const end = await readEnd(subject, 0, signal)
  const failing = standings.map(({ check, answer }) => `${nameCheck(check)}: ${answer}`)
  return new TestfleetError(
    'READY_TIMEOUT',
    `${server} was not ready within ${timeoutMs / 1000} s (${failing.join('; ') || 'no answer yet'})`,
    {
      server,
      output: log,
      hint: end.isOutOfMemory
        ? hintForShortage(end)
        : chooseHint({ server, standings, log, listeners, known, isProcess: isProcessId(subject.containerId) }),
    },
  )
}

export async function explainRefusal(
  subject: FailedSubject,
  standings: readonly Standing[],
  signal: AbortSignal,
): Promise<TestfleetError> {
  const refused = standings.map(({ check, answer }) => `${nameCheck(check)}: ${answer}`)
  return new TestfleetError(
    'LOGIN_REFUSED',
    `${subject.server} refuses the login of its ready check (${refused.join('; ')})`,
    {
      server: subject.server,
      output: await readLogEnd(subject, signal),
      hint: hintForRefusal(refused.join('; ')),
    },
  )
}

function hintForRefusal(said: string): string {
  if (/pg_hba\.conf/.test(said)) {
    return 'Add a line to pg_hba.conf that allows this user from other machines, such as `host all all all scram-sha-256`.'
  }
  if (/3D000/.test(said)) return 'Name a database that the server has in `database`.'
  return 'Compare `user` and `password` of the check with the users of the server. If the server creates its users late, also wait for that with a `log` or `exec` check.'
}
