/**
 * Measures every preset of the catalogue, or the named ones, and writes docs/catalogue.json, from which
 * docs/catalogue.md is generated: `node bench/catalogue.ts [PRESET…]`. Each preset is started alone, without options.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describePresets } from '../src/config/describe-presets.ts'
import { currentHost } from '../src/current-host.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { startFleet } from '../src/index.ts'
import { label } from '../src/model/labels.ts'
import { median } from './statistics.ts'

export interface Measured {
  /** Size that the image adds to its base. */
  readonly imageMegabytes: number
  /** Time from the start of the container until its ready checks pass: the median of three, after an uncounted one. */
  readonly readyMs: number
}

const ROUNDS = 3
const BASE = 'debian:bookworm-slim'
const FLEET = 'testfleet-catalogue'
const page = new URL('../docs/catalogue.json', import.meta.url)

const host = currentHost()
const folder = await mkdtemp(join(tmpdir(), 'testfleet-catalogue-'))
const engine = await openEngine(undefined, host)
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

try {
  const wanted = process.argv.slice(2)
  const presets = await describePresets(host.presetsFolder)
  const known = JSON.parse(await readFile(page, 'utf8').catch(() => '{}')) as Record<string, Measured>
  const measured: Record<string, Measured> = {}
  for (const { name } of presets) {
    const isWanted = wanted.length === 0 || wanted.includes(name)
    const result = isWanted ? await measure(name) : known[name]
    if (result !== undefined) measured[name] = result
    if (isWanted) process.stdout.write(`${name}: ${result?.imageMegabytes} MB, ready in ${result?.readyMs} ms\n`)
  }
  await writeFile(page, `${JSON.stringify(measured, null, 2)}\n`)
} finally {
  engine.close()
  await rm(folder, { recursive: true, force: true })
}

async function measure(preset: string): Promise<Measured> {
  const times: number[] = []
  let imageMegabytes = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const onEvent: NonNullable<Parameters<typeof startFleet>[1]>['onEvent'] = (event) => {
      if (event.kind === 'server.ready' && round > 0) times.push(event.data.elapsedMs)
    }
    const fleet = { name: FLEET, servers: { one: { preset } } }
    await using _session = await startFleet(fleet, { folder, onEvent, signal: interrupted.signal })
    imageMegabytes = await sizeOfImage()
  }
  for (const { references } of await engine.listImages({ [label.fleet]: FLEET })) {
    for (const reference of references) await engine.removeImage(reference)
  }
  return { imageMegabytes, readyMs: Math.round(median(times)) }
}

async function sizeOfImage(): Promise<number> {
  const [image] = await engine.listImages({ [label.fleet]: FLEET })
  const [own, base] = await Promise.all([engine.inspectImage(image?.id ?? ''), engine.inspectImage(BASE)])
  return Math.round(((own?.sizeBytes ?? 0) - (base?.sizeBytes ?? 0)) / 1_000_000)
}
