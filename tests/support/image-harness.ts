import { randomBytes } from 'node:crypto'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import { type Harness, openHarness } from '../../src/engine/conformance/harness.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { Recorder } from '../../src/failure/recorder.ts'
import { prepareImages } from '../../src/images/prepare-images.ts'
import { type BuiltImage, buildImages, removeImages } from '../../src/images.ts'
import type { FleetEvent, OnEvent } from '../../src/model/events.ts'
import type { Fleet } from '../../src/model/fleet.ts'
import type { FleetFile } from '../../src/model/fleet-file.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { openStore } from '../../src/sessions/store.ts'
import { makeFleetFolder } from './command.ts'

export type Build = NonNullable<FleetFile['servers'][string]['build']>
export type Files = Readonly<Record<string, string | Uint8Array>>

/** Fleets of images alone, on a real engine. */
export interface ImageHarness {
  readonly harness: Harness
  /** The fleet's name, which nobody else uses. */
  readonly fleet: string
  load(file: Omit<FleetFile, 'name'>, folder: string): Promise<Fleet>
  /** The digests that the images of a fleet would have, by server. */
  digests(file: Omit<FleetFile, 'name'>, folder: string): Promise<Record<string, string>>
  build(file: Omit<FleetFile, 'name'>, folder: string, onEvent?: OnEvent): Promise<ReadonlyMap<string, BuiltImage>>
  /** Builds one image from these files, starts a container of it, and returns its id. */
  start(build: Build, files?: Files): Promise<string>
  shell(id: string, text: string): Promise<string>
  close(): Promise<void>
}

export async function openImageHarness(environment: Readonly<Record<string, string>> = {}): Promise<ImageHarness> {
  const here = currentHost()
  const host = { ...here, environment: { ...here.environment, ...environment } }
  const engine = await openEngine(undefined, host)
  const harness = await openHarness(engine, 'debian:bookworm-slim')
  const fleet = `images-${randomBytes(3).toString('hex')}`
  const never = new AbortController().signal
  const runtime = openContainers(engine)
  const tools = (onEvent: OnEvent = () => {}) => ({
    host,
    engine,
    runtime,
    sessions: openStore(runtime),
    onEvent,
    signal: never,
    cancelSignal: never,
    recorder: new Recorder(),
  })
  const load: ImageHarness['load'] = (file, folder) =>
    loadFleet({ kind: 'object', value: { ...file, name: fleet }, folder }, host)
  const build: ImageHarness['build'] = async (file, folder, onEvent) =>
    buildImages(await load(file, folder), [], tools(onEvent))
  return {
    harness,
    fleet,
    load,
    build,
    async digests(file, folder) {
      const loaded = await load(file, folder)
      const { byServer } = await prepareImages(loaded, [...loaded.servers.values()], engine, {})
      return Object.fromEntries([...byServer].map(([name, { identity }]) => [name, identity]))
    },
    async start(recipe, files = {}) {
      const folder = await makeFleetFolder(files)
      const images = await build({ servers: { one: { build: recipe } } }, folder)
      return harness.start({ image: images.get('one')?.reference ?? '' })
    },
    async shell(id, text) {
      const { exitCode, stdout, stderr } = await harness.shell(id, text)
      if (exitCode !== 0) throw new Error(`${text}: exits with ${exitCode}: ${stderr}`)
      return stdout
    },
    async close() {
      await harness.sweep()
      await removeImages(fleet, [], [], tools())
      engine.close()
    },
  }
}

/** Of the builds that were really made: which servers each was for. */
export function builtFor(events: readonly FleetEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'built' ? [event.servers.join(', ')] : []))
}
