import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { currentHost } from '../src/current-host.ts'
import { formatTable, median } from './statistics.ts'
import { timeNode } from './time-process.ts'

/**
 * Measures the certificates of a fleet: creating and storing its authority, and a key and a certificate for each
 * server, in a new process each time. Processor time does not depend on other load. `node bench/certificates.ts`
 */
const { once } = parseArgs({ options: { once: { type: 'string' } } }).values
const ROUNDS = 9
const AIM_MS = 100

interface Took {
  readonly elapsedMs: number
  readonly processorMs: number
}

process.stdout.write(once === undefined ? await compare() : JSON.stringify(await timeOnce(Number(once))))

async function compare(): Promise<string> {
  const rows = []
  for (const servers of [1, 10, 30]) {
    const times: { readonly first: Took; readonly later: Took }[] = []
    for (let round = 0; round < ROUNDS; round += 1)
      times.push(JSON.parse((await timeNode([import.meta.filename, '--once', String(servers)], undefined)).stdout))
    const columns = [
      median(times.map(({ first }) => first.elapsedMs)),
      median(times.map(({ first }) => first.processorMs)),
      median(times.map(({ later }) => later.elapsedMs)),
    ]
    rows.push([String(servers), ...columns.map((ms) => ms.toFixed(0))])
  }
  const head = ['servers', 'first up, ms', 'of the processor', 'later up, ms']
  return `${formatTable([head, ...rows])}aim: ${AIM_MS} ms\n`
}

async function timeOnce(servers: number): Promise<{ first: Took; later: Took }> {
  const { ensureAuthority } = await import('../src/certificates/authority-store.ts')
  const { makeServerCertificate } = await import('../src/certificates/make-certificates.ts')
  const folder = await mkdtemp(join(tmpdir(), 'bench-certificates-'))
  const host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: folder } }
  const names = ['web.bench.test', 'web', 'localhost', '127.0.0.1', '::1']
  const fleet = { name: 'bench', folder, names }
  const make = async (): Promise<Took> => {
    const startedAt = performance.now()
    const before = process.cpuUsage()
    const authority = await ensureAuthority(fleet, host)
    for (let server = 0; server < servers; server += 1) await makeServerCertificate({ kind: 'valid', names }, authority)
    const { user, system } = process.cpuUsage(before)
    return { elapsedMs: performance.now() - startedAt, processorMs: (user + system) / 1000 }
  }
  try {
    return { first: await make(), later: await make() }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
