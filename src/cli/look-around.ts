import { fstatSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeptSession } from '../api/types/run.ts'
import { isFailure } from '../model/failures.ts'
import { onAbort } from '../model/on-abort.ts'
import type { SessionReport } from '../model/running.ts'
import { formatEndpoints, formatState, formatTable } from './answer.ts'
import type { Call } from './call.ts'
import { formatFailure } from './format-failure.ts'

/** Enough time for a terminal to deliver keys that were pressed earlier. */
const TYPED_AHEAD_MS = 100

/** What ends the wait: a person at a terminal, the end of a pipe, or nothing to wait for. */
type Patience = 'terminal' | 'pipe' | 'none'

/** Says how to look around in a session that is kept, and waits until the person is done. */
export async function lookAround({ report, error, result }: KeptSession, call: Call): Promise<void> {
  const { output, signal } = call
  const patience = choosePatience()
  if (patience === 'terminal') await discardTypedAhead(signal)
  output.endProgress()
  if (isFailure(error)) output.tell(formatFailure(error, output.palette))
  const ends = (result?.ended ?? []).map((end) => `${output.palette.style('yellow', 'warning:')} ${end}\n`)
  const code = result === undefined ? '' : `the command ended with exit code ${result.exitCode}\n`
  const guide = patience === 'none' ? formatEnd(report) : `${formatGuide(report, call)}${wordPatience[patience]}\n`
  output.tell(`${ends.join('')}${code}${guide}`)
  if (patience !== 'none') await waitForInput(patience, signal)
}

const wordPatience = {
  terminal: 'Press Enter or Ctrl-D to take it down.',
  pipe: 'It is taken down when standard input ends, or on SIGTERM.',
} as const

/** A session that is removed at once: no call could look into it. */
function formatEnd({ session, servers }: SessionReport): string {
  return `
Not waiting for you to look around, because standard input is neither a terminal nor a pipe.
The session ${session} as it is before it is removed:

${formatServers(servers)}
To look around, run this at a terminal; or start the fleet with \`testfleet up\`, and use \`testfleet join -- CMD\`.

`
}

function choosePatience(): Patience {
  if (process.stdin.isTTY) return 'terminal'
  try {
    const stat = fstatSync(0)
    return stat.isFIFO() || stat.isSocket() ? 'pipe' : 'none'
  } catch {
    // It is closed.
    return 'none'
  }
}

/** Describes the session, its servers and endpoints, and the calls that look into it. */
export function formatGuide({ session, servers }: SessionReport, call: Pick<Call, 'engine' | 'options'>): string {
  const { engine, options: own } = call
  const engineOptions = [
    ...(engine === undefined ? [] : [` --engine ${engine}`]),
    ...(own['insecure-engine'] === true ? [' --insecure-engine'] : []),
  ]
  const options = `--session ${session}${engineOptions.join('')}`
  const names = Object.keys(servers)
  const running = names.find((name) => servers[name]?.state === 'ready' || servers[name]?.state === 'unready')
  const logged = running ?? names[0]
  const calls = [
    ...(running === undefined ? [] : [`exec ${options} ${running} -- sh`]),
    ...(logged === undefined ? [] : [`logs ${options} ${logged}`]),
    `ps ${options}`,
    `join ${options} -- sh`,
  ]
  return `
The session ${session} is kept for you to look around:

${formatServers(servers)}
${calls.map((one) => `  testfleet ${one}\n`).join('')}
`
}

function formatServers(servers: SessionReport['servers']): string {
  return formatTable(
    Object.entries(servers).map(([name, server]) => [
      name,
      formatState(server),
      formatEndpoints(server.endpoints).join('  '),
    ]),
  )
}

/** Keys that were pressed while the command ran do not answer a later question. */
async function discardTypedAhead(signal: AbortSignal): Promise<void> {
  const { stdin } = process
  const discard = (): void => {}
  stdin.on('data', discard)
  await sleep(TYPED_AHEAD_MS, undefined, { signal }).catch(() => {})
  stdin.off('data', discard).pause()
}

/** Resolves when the person is done: with a line or the end of input at a terminal, at the end of a pipe, or by a signal. */
function waitForInput(patience: 'terminal' | 'pipe', signal: AbortSignal): Promise<void> {
  const { stdin } = process
  return new Promise((resolve) => {
    let stopListening = (): void => {}
    const done = (): void => {
      stopListening()
      stdin.off('data', onData).off('end', done).off('error', done).pause()
      stdin.unref?.()
      resolve()
    }
    const onData = (): void => {
      if (patience === 'terminal') done()
    }
    stdin.on('data', onData).on('end', done).on('error', done).resume()
    stopListening = onAbort(signal, done)
    if (stdin.readableEnded) done()
  })
}
