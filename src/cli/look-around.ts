import { fstatSync } from 'node:fs'
import type { KeptSession } from '../api/types/run.ts'
import { isFailure } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import { formatEndpoints, formatState, formatTable } from './answer.ts'
import type { Call } from './call.ts'
import { formatFailure } from './format-failure.ts'

/** What ends the look around: a person at a terminal, the end of a pipe, or nothing that could be waited for. */
type Patience = 'terminal' | 'pipe' | 'none'

/** Says how to look around in a session that is kept, and waits until that is done. */
export async function lookAround({ report, error, result }: KeptSession, call: Call): Promise<void> {
  const { output, signal } = call
  const patience = choosePatience()
  output.endProgress()
  if (isFailure(error)) output.tell(formatFailure(error, output.palette))
  const ends = (result?.ended ?? []).map((end) => `${output.palette.style('yellow', 'warning:')} ${end}\n`)
  const code = result === undefined ? '' : `the command ended with exit code ${result.exitCode}\n`
  output.tell(`${ends.join('')}${code}${formatGuide(report, call)}${wordPatience[patience]}\n`)
  if (patience !== 'none') await waitForInput(patience, signal)
}

const wordPatience: Readonly<Record<Patience, string>> = {
  terminal: 'Press Enter or Ctrl-D to take it down.',
  pipe: 'It is taken down when standard input ends, or on SIGTERM.',
  none: 'Not waiting, because standard input is neither a terminal nor a pipe.',
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

/** The session, its servers and their endpoints, and the calls that look into it. */
export function formatGuide(report: SessionReport, { engine }: Pick<Call, 'engine'>): string {
  const servers = Object.entries(report.servers)
  const rows = servers.map(([name, server]) => [
    name,
    formatState(server),
    formatEndpoints(server.endpoints).join('  '),
  ])
  const options = `--session ${report.session}${engine === undefined ? '' : ` --engine ${engine}`}`
  const [first] = servers.find(([, { state }]) => state === 'ready' || state === 'unready') ?? servers[0] ?? ['SERVER']
  return `
The session ${report.session} is kept for you to look around:

${formatTable(rows)}
  testfleet exec ${options} ${first} -- sh
  testfleet logs ${options} ${first}
  testfleet ps ${options}
  testfleet join ${options} -- sh

`
}

/** Resolves when the person is done: with a line or the end of input at a terminal, at the end of a pipe, or by a signal. */
function waitForInput(patience: 'terminal' | 'pipe', signal: AbortSignal): Promise<void> {
  const { stdin } = process
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done)
      stdin.off('data', onData).off('end', done).off('error', done).pause()
      stdin.unref?.()
      resolve()
    }
    const onData = (): void => {
      if (patience === 'terminal') done()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
    else stdin.on('data', onData).on('end', done).on('error', done).resume()
  })
}
