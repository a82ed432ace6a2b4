import { Client } from './client.ts'
import type { BakedImage, BakeOptions } from './types/bake.ts'
import type { BuildOptions, BuiltImage } from './types/build.ts'
import type { CheckResult, SarifResult } from './types/check.ts'
import type { EffectiveFleet } from './types/config.ts'
import type {
  ArchiveSource,
  ArchiveTarget,
  LoadedImage,
  LoadImagesOptions,
  SavedImages,
  SaveImagesOptions,
} from './types/image-archives.ts'
import type { LoadedFleet } from './types/load.ts'
import type { FleetOptions, Source } from './types/options.ts'
import type { PinOptions, PinResult } from './types/pin.ts'
import type { PlanOptions, PlanResult } from './types/plan.ts'
import type { PresetDetails, PresetSummary } from './types/presets.ts'
import type { SbomOptions } from './types/sbom.ts'

/** Calls about fleet files. They start no server. */
export class FleetCalls extends Client {
  /**
   * Loads and validates a fleet file. No engine is asked.
   *
   * @throws {TestfleetError} FLEET_FILE_NOT_FOUND, FLEET_FILE_NOT_TRUSTED, FLEET_FILE_INVALID with `mistakes`
   * @example
   * const { name, servers } = await testfleet.load('./testfleet.yaml')
   * console.log(name, Object.keys(servers))
   */
  async load(source?: Source): Promise<LoadedFleet> {
    return (await import('./calls/load.ts')).load(this.settings, source)
  }

  /**
   * Loads a fleet file and looks for risks in it, as `testfleet check` does. No engine is asked.
   *
   * @throws {TestfleetError} The codes of `load`
   * @example
   * const { findings } = await testfleet.check()
   * for (const { file, line, message } of findings) console.log(`${file}:${line}: ${message}`)
   */
  async check(source?: Source): Promise<CheckResult> {
    return (await import('./calls/check.ts')).check(this.settings, source)
  }

  /**
   * Returns a fleet file as it takes effect: presets filled in, defaults written out, secrets in plain text masked.
   * No engine is asked.
   *
   * @throws {TestfleetError} The codes of `load`
   * @example
   * const { config } = await testfleet.config()
   * console.log(config.servers.db?.environment)
   */
  async config(source?: Source): Promise<EffectiveFleet> {
    return (await import('./calls/config.ts')).describeConfig(this.settings, source)
  }

  /**
   * Checks as `check` does, and returns the result in the form that code hosts read (SARIF). An invalid fleet file is a result,
   * too: its mistakes are in the log and in `error`.
   *
   * @throws {TestfleetError} FLEET_FILE_NOT_FOUND, FLEET_FILE_NOT_TRUSTED
   * @example
   * const { log } = await testfleet.sarif()
   * await writeFile('testfleet.sarif', JSON.stringify(log))
   */
  async sarif(source?: Source): Promise<SarifResult> {
    return (await import('./calls/check.ts')).sarif(this.settings, source)
  }

  /**
   * Returns a key for a cache of the archive that `saveImages` writes: the name of the fleet and a digest. It changes when
   * an image changes, and is known before anything is built or pulled. No engine is asked.
   *
   * @throws {TestfleetError} The codes of `load`, UNKNOWN_SERVER
   * @example
   * const file = `${await testfleet.imagesKey('./testfleet.yaml')}.tar`
   */
  async imagesKey(source?: Source, options: FleetOptions = {}): Promise<string> {
    return this.operate('imagesKey', options, async (settings) => {
      return (await import('./calls/images-key.ts')).imagesKey(settings, source, options)
    })
  }

  /**
   * Returns what `up` would do, and changes nothing.
   *
   * @throws {TestfleetError} The codes of `load`, UNKNOWN_SERVER, NO_ENGINE and the other codes of engines
   * @example
   * const { text } = await testfleet.plan('./testfleet.yaml', { servers: ['db'] })
   * console.log(text)
   */
  async plan(source?: Source, options: PlanOptions = {}): Promise<PlanResult> {
    return this.operate('plan', options, async (settings) => {
      return (await import('./calls/plan.ts')).plan(settings, source, options)
    })
  }

  /**
   * Builds the images that are missing. Returns the image of each server that has a `build`, by the server's name.
   *
   * @throws {TestfleetError} The codes of `load`, UNKNOWN_SERVER, BUILD_FAILED, PULL_FAILED, TIMED_OUT
   * @example
   * const images = await testfleet.build()
   * console.log(images.web?.image)
   */
  async build(
    source?: Source,
    options: BuildOptions & FleetOptions = {},
  ): Promise<Readonly<Record<string, BuiltImage>>> {
    return this.operate('build', options, async (settings) => {
      return (await import('./calls/build.ts')).build(settings, source, options)
    })
  }

  /**
   * Bakes the images that are missing: the ready state of each server that has `bake`. Returns the image of each, by the
   * server's name.
   *
   * @throws {TestfleetError} The codes of `up`
   * @example
   * const images = await testfleet.bake()
   * console.log(images.db?.image)
   */
  async bake(source?: Source, options: BakeOptions & FleetOptions = {}): Promise<Readonly<Record<string, BakedImage>>> {
    return this.operate('bake', options, async (settings) => {
      return (await import('./calls/bake.ts')).bake(settings, source, options)
    })
  }

  /**
   * Saves everything that `up` needs of a fleet's images as one archive, which `loadImages` and `docker load` accept. Images
   * that the engine lacks are built and pulled first. A file is replaced in one step, and kept when it has these images already.
   *
   * @throws {TestfleetError} The codes of `build`, IMAGE_NOT_FOUND, USAGE when the file cannot be written
   * @example
   * const { images, bytes } = await testfleet.saveImages('images.tar')
   */
  async saveImages(to: ArchiveTarget, options: SaveImagesOptions = {}): Promise<SavedImages> {
    return this.operate('save', options, async (settings) => {
      return (await import('./calls/image-archives.ts')).saveImages(settings, to, options)
    })
  }

  /**
   * Loads the images of an archive into the engine. Of a file, only the images that the engine lacks are sent to it.
   *
   * @throws {TestfleetError} ARCHIVE_UNUSABLE, USAGE when the file cannot be read
   * @example
   * const images = await testfleet.loadImages('images.tar')
   * const loaded = images.filter(({ loaded }) => loaded)
   */
  async loadImages(from: ArchiveSource, options: LoadImagesOptions = {}): Promise<readonly LoadedImage[]> {
    return this.operate('load', options, async (settings) => {
      return (await import('./calls/image-archives.ts')).loadImages(settings, from, options)
    })
  }

  /**
   * Returns a TypeScript declaration file with the names, ports and exports of a fleet's servers, as `testfleet types`
   * writes it. Its interface `Fleet` types a fleet that is started by its path.
   *
   * @throws {TestfleetError} FLEET_FILE_NOT_FOUND, FLEET_FILE_NOT_TRUSTED, FLEET_FILE_INVALID
   * @example
   * await writeFile('testfleet.types.d.ts', await testfleet.types('./testfleet.yaml'))
   */
  async types(source?: Source): Promise<string> {
    return (await import('./calls/types.ts')).types(this.settings, source)
  }

  /**
   * Writes the digests of images into the fleet file, and changes nothing else in it.
   *
   * @throws {TestfleetError} PULL_FAILED, IMAGE_NOT_FOUND, CONTEXT_CHANGED if the file changes meanwhile
   * @example
   * const { pins } = await testfleet.pin({ mode: 'check' })
   * const unpinned = pins.filter(({ state }) => state === 'unpinned')
   */
  async pin(options: PinOptions = {}): Promise<PinResult> {
    return this.operate('pin', options, async (settings) => {
      return (await import('./calls/pin.ts')).pin(settings, options)
    })
  }

  /**
   * Returns the bill of materials of a server's image, as a CycloneDX document.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER, IMAGE_NOT_FOUND when the image is not built yet, NO_PACKAGE_DATABASE
   * @example
   * await writeFile('web.cdx.json', JSON.stringify(await testfleet.sbom('web')))
   */
  async sbom(server: string, options: SbomOptions = {}): Promise<object> {
    return this.operate('sbom', options, async (settings) => {
      return (await import('./calls/sbom.ts')).sbom(settings, server, options)
    })
  }

  /**
   * Returns the JSON Schema of the fleet file.
   *
   * @example
   * await writeFile('testfleet.schema.json', JSON.stringify(await testfleet.schema()))
   */
  async schema(): Promise<object> {
    return (await import('../config/json-schema.ts')).fleetJsonSchema()
  }

  /**
   * Returns the presets of the catalogue. With a name, only the preset of that name, or those that it is a synonym of,
   * each with its page and the server that it declares.
   *
   * @throws {TestfleetError} USAGE when no preset has that name
   * @example
   * const [postgresql] = await testfleet.presets('postgresql')
   * console.log(postgresql?.exports.map(({ name }) => name))
   */
  presets(): Promise<readonly PresetSummary[]>
  presets(name: string, options?: PresetsOptions): Promise<readonly PresetDetails[]>
  async presets(name?: string, { file }: PresetsOptions = {}): Promise<readonly PresetSummary[]> {
    const { findPresets, listPresets } = await import('./calls/presets.ts')
    return name === undefined ? listPresets(this.settings) : findPresets(this.settings, name, file)
  }
}

/** Options of `presets`. */
export interface PresetsOptions {
  /** Path of the fleet file, where the paths of your own presets start. Default: the nearest fleet file. */
  readonly file?: string | undefined
}
