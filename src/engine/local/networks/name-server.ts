import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../find-program.ts'
import { markProcess, type ProcessMark } from '../processes.ts'
import { runProgram } from '../programs.ts'
import { sendSignal } from '../send-signal.ts'
import { undefinedIfGone, unlessGone } from '../store.ts'
import type { Local } from '../types.ts'

/**
 * What name servers read. They run as a user without rights, who cannot enter the store: so it is next to it. After a restart
 * of the machine nothing is there.
 */
const FOLDER = '/run/testfleet-names'

function folderOf(networkId: string): string {
  return join(FOLDER, networkId)
}

function pidFile(networkId: string): string {
  return join(FOLDER, `${networkId}.pid`)
}

/**
 * Starts the name server of a network at its gateway, unless it runs: some programs ask one for the names of servers instead of
 * reading /etc/hosts. Returns whether there is one: there is none without dnsmasq, or where another program has the port.
 */
export async function ensureNameServer(
  { machine }: Local,
  networkId: string,
  gateway: string,
  readLines: () => Promise<ReadonlyMap<string, string>>,
): Promise<boolean> {
  if ((await findProgram('dnsmasq')) === undefined) return false
  if ((await findNameServer(networkId)) !== undefined) return true
  const folder = folderOf(networkId)
  await mkdir(folder, { recursive: true })
  await Promise.all([FOLDER, folder].map((path) => chmod(path, 0o755)))
  // Only now: a container that joined before the folder was there is among them.
  for (const [id, line] of await readLines()) tellName(networkId, id, line)
  const words = [
    ...['--conf-file=/dev/null', '--no-hosts', `--hostsdir=${folder}`, `--pid-file=${pidFile(networkId)}`],
    ...[
      `--listen-address=${gateway}`,
      '--bind-interfaces',
      '--except-interface=lo',
      '--user=nobody',
      '--group=nogroup',
    ],
    ...[
      '--domain-needed',
      '--bogus-priv',
      '--cache-size=0',
      '--no-negcache',
      '--local-ttl=0',
      '--log-facility=/dev/null',
    ],
  ]
  // It goes into the background once it listens.
  const { exitCode } = await runProgram(machine, 'dnsmasq', { arguments: words })
  return exitCode === 0 || (await findNameServer(networkId)) !== undefined
}

/** Finds the name server by the id that it has written down: one of another program does not name the network. */
async function findNameServer(networkId: string): Promise<ProcessMark | undefined> {
  const pid = Number(await readFile(pidFile(networkId), 'utf8').catch(undefinedIfGone))
  if (!Number.isInteger(pid) || pid < 2) return undefined
  const words = unlessGone(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  return words?.includes(networkId) ? markProcess(pid) : undefined
}

/** Adds the names of a container: a line as in a hosts file. No error without a name server. */
export function tellName(networkId: string, id: string, line: string): void {
  unlessGone(() => {
    const path = join(folderOf(networkId), id)
    writeFileSync(path, line)
    chmodSync(path, 0o644)
  })
}

export function forgetName(networkId: string, id: string): void {
  rmSync(join(folderOf(networkId), id), { force: true })
}

/** Ends the name server of a network. No error if there is none. */
export async function endNameServer(networkId: string): Promise<void> {
  const running = await findNameServer(networkId)
  if (running !== undefined) await sendSignal(running, 'SIGKILL')
  await Promise.all([
    rm(folderOf(networkId), { recursive: true, force: true }),
    rm(pidFile(networkId), { force: true }),
  ])
}
