import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fleetName, writeRedisFleet } from './redis-fleet.ts'
import { formatTable, median } from './statistics.ts'
import { timeNode } from './time-process.ts'

/**
 * Measures calls that find nothing to do: `plan` and a second `up` of a running fleet, in turns with an empty Node.
 * Each call is a separate process.
 */
const fleets = [
  {
    name: 'ten redis',
    rounds: 15,
    planAimMs: undefined,
    upAimMs: 100,
    write: (folder: string) => writeRedisFleet(folder, 10),
  },
  { name: 'eight presets', rounds: 15, planAimMs: 120, upAimMs: 150, write: writePresetFleet },
] as const

const testfleetPath = join(dirname(import.meta.dirname), 'dist/cli/testfleet.cjs')

/**
 * Measures the fleets; with `isQuick`, only the first one: building the other one takes minutes. Its images are kept for the next
 * run.
 */
export async function measureSecondCalls(
  folder: string,
  { isQuick, signal }: { readonly isQuick: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const rows: string[][] = []
  for (const fleet of isQuick ? fleets.slice(0, 1) : fleets) rows.push(await measureFleet(fleet, folder, signal))
  return formatTable([['fleet', 'rounds', 'node -e 0', 'plan', 'ratio', 'aim', 'second up', 'ratio', 'aim'], ...rows])
}

async function measureFleet(
  { name, rounds, planAimMs, upAimMs, write }: (typeof fleets)[number],
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const path = await write(folder)
  const session = `${fleetName}-second`
  const call = (verb: string) => timeNode([testfleetPath, verb, '-f', path, '--session', session], signal)
  const empty: number[] = []
  const plan: number[] = []
  const up: number[] = []
  try {
    await call('up')
    for (let round = 0; round < rounds; round++) {
      empty.push((await timeNode(['-e', '0'], signal)).tookMs)
      plan.push((await call('plan')).tookMs)
      up.push((await call('up')).tookMs)
    }
  } finally {
    await timeNode([testfleetPath, 'down', '-f', path, '--session', session], undefined)
  }
  const cells = (times: readonly number[], aimMs: number | undefined): string[] => [
    `${median(times).toFixed(0)} ms`,
    median(times.map((time, round) => time / (empty[round] ?? Number.NaN))).toFixed(1),
    aimMs === undefined ? '' : `≤ ${aimMs} ms`,
  ]
  return [name, String(rounds), `${median(empty).toFixed(0)} ms`, ...cells(plan, planAimMs), ...cells(up, upAimMs)]
}

export async function writePresetFleet(folder: string): Promise<string> {
  const others = ['squid', 'vsftpd', 'danted', 'cyrus', 'echo', 'redis', 'nginx'].map(
    (preset) => `  ${preset}: { preset: ${preset} }\n`,
  )
  const path = join(folder, 'presets.yaml')
  await writeFile(
    path,
    `name: ${fleetName}\nservers:\n  apache2: { preset: apache2, options: { tls: true } }\n${others.join('')}`,
  )
  return path
}
