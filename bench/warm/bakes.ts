import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testfleet, type WarmBench } from './bench-tools.ts'
import { bakedPresets, writeSeeded } from './fleets.ts'
import type { Row } from './row.ts'

/** From the start of the container until its ready checks pass, with 50 MB of rows, baked and not. */
export async function measureBakes(bench: WarmBench): Promise<Row[]> {
  const rows: Row[] = []
  for (const preset of bakedPresets) rows.push(await measurePreset(preset, bench))
  return rows
}

async function measurePreset(
  preset: (typeof bakedPresets)[number],
  { folder, rounds, signal, tell }: WarmBench,
): Promise<Row> {
  const [plain, baked] = [
    await writeSeeded(join(folder, `plain-${preset}`), preset, false),
    await writeSeeded(join(folder, `baked-${preset}`), preset, true),
  ]
  tell(`images of ${preset}`)
  await testfleet(['build', '-f', plain], signal)
  await testfleet(['bake', '-f', baked], signal)
  const times = { plain: [] as number[], baked: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    tell(`${preset} with 50 MB of rows, round ${round} of ${rounds}`)
    times.plain.push(await timeReady(plain, join(folder, `${preset}-plain-${round}.ndjson`), signal))
    times.baked.push(await timeReady(baked, join(folder, `${preset}-baked-${round}.ndjson`), signal))
  }
  return {
    what: `${preset} with 50 MB of rows, baked, start to ready`,
    unit: 'ms',
    values: times.baked,
    compared: { name: 'not baked', values: times.plain },
    aim: 'ratio ≥ 6',
  }
}

interface Event {
  readonly kind: string
  readonly data?: { readonly elapsedMs?: number }
}

async function timeReady(file: string, events: string, signal: AbortSignal): Promise<number> {
  await testfleet(['run', '-f', file, '--quiet', '--events', events, '--', 'true'], signal)
  const lines = (await readFile(events, 'utf8')).trimEnd().split('\n')
  const ready = lines.map((line) => JSON.parse(line) as Event).find(({ kind }) => kind === 'server.ready')
  if (ready?.data?.elapsedMs === undefined) throw new Error(`${events} does not say when the server was ready`)
  return ready.data.elapsedMs
}
