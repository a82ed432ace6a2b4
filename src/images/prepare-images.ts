import type { CallOptions, Engine } from '../engine/engine.ts'
import type { OnEvent } from '../model/events.ts'
import { type FieldPath, type Fleet, type ImageRecipe, imageOf, type Server, type ServerImage } from '../model/fleet.ts'
import type { DesiredImage, PreparedBuild, PreparedImage } from '../model/plan.ts'
import { type BaseImage, prepareBuild } from './prepare-build.ts'
import { type Pull, pullImages } from './pull-image.ts'

export interface PreparedImages {
  readonly byServer: ReadonlyMap<string, PreparedImage>
  /** Base images that the engine lacks. Images based on them have no final name yet. */
  readonly missingBases: readonly Pull[]
}

export interface PrepareOptions extends CallOptions {
  /** Images that the engine is known to have; it is not asked for them. */
  readonly inUse?: ReadonlySet<string>
  /** Servers whose image leads to the name of another one, so that it has to be known. */
  readonly mustKnow?: ReadonlySet<string>
}

/** Same as `prepareImages`, after pulling the base images that the engine lacks. */
export async function prepareImagesAndBases(
  fleet: Fleet,
  servers: readonly Server[],
  engine: Engine,
  onEvent: OnEvent,
  options: PrepareOptions,
): Promise<PreparedImages> {
  const prepared = await prepareImages(fleet, servers, engine, options)
  if (prepared.missingBases.length === 0) return prepared
  await pullImages(prepared.missingBases, engine, onEvent, options)
  return prepareImages(fleet, servers, engine, options)
}

/** Reads the content of these servers' images and asks the engine which of them it has. Changes nothing. */
export async function prepareImages(
  fleet: Fleet,
  servers: readonly Server[],
  engine: Pick<Engine, 'inspectImage'>,
  options: PrepareOptions,
): Promise<PreparedImages> {
  const inspect = memoize((reference: string) => engine.inspectImage(reference, options))
  const isPresent = async (reference: string): Promise<boolean> =>
    options.inUse?.has(reference) || (await inspect(reference)) !== undefined
  const missing = new Map<string, Pull & { readonly servers: string[] }>()

  const prepare = memoize(async (recipe: ImageRecipe): Promise<PreparedBuild> => {
    const base = recipe.kind === 'steps' ? await prepareBase(recipe.from) : undefined
    const prepared = await prepareBuild(recipe, base, fleet, options.signal)
    return { ...prepared, isPresent: prepared.isNamed && (await isPresent(prepared.reference)) }
  })

  async function prepareBase(image: ServerImage): Promise<BaseImage> {
    if (image.kind === 'named') {
      const found = await inspect(image.reference)
      return { reference: image.reference, identity: found?.id, user: found?.user, prepared: undefined }
    }
    const prepared = await prepare(image.recipe)
    const lowest = lowestBase(image)
    const user = lowest && (await inspect(lowest.reference))?.user
    return { reference: prepared.reference, identity: prepared.isNamed ? prepared.digest : undefined, user, prepared }
  }

  function addMissing(server: Server, reference: string, at: FieldPath): void {
    const pull = { reference, at: fleet.source.locate(at), platform: server.platform, servers: [] }
    const entry = missing.get(reference) ?? pull
    entry.servers.push(server.name)
    missing.set(reference, entry)
  }

  async function prepareServer(server: Server): Promise<PreparedImage> {
    const image = imageOf(server)
    if (image === undefined) return { desired: { kind: 'none' }, identity: '' }
    if (image.kind === 'named') {
      const { reference } = image
      const found = await inspect(reference)
      if (found === undefined && options.mustKnow?.has(server.name))
        addMissing(server, reference, ['servers', server.name, 'image'])
      const desired: DesiredImage = {
        kind: 'named',
        reference,
        platform: server.platform,
        isPresent: found !== undefined,
      }
      return { desired, identity: found?.id ?? '' }
    }
    const build = await prepare(image.recipe)
    const base = lowestBase(image)
    if (base !== undefined && (await inspect(base.reference)) === undefined) addMissing(server, base.reference, base.at)
    return { desired: { kind: 'built', build }, identity: build.reference }
  }

  const entries = await Promise.all(servers.map(async (server) => [server.name, await prepareServer(server)] as const))
  return { byServer: new Map(entries), missingBases: [...missing.values()] }
}

/** The named image at the base of a recipe, or undefined for the user's own Dockerfile. */
function lowestBase({ recipe }: BuiltImage): { readonly reference: string; readonly at: FieldPath } | undefined {
  if (recipe.kind === 'dockerfile') return undefined
  if (recipe.from.kind === 'built') return lowestBase(recipe.from)
  return { reference: recipe.from.reference, at: [...recipe.at, 'from'] }
}

type BuiltImage = Extract<ServerImage, { kind: 'built' }>

function memoize<Key, Value>(compute: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>()
  return (key) => {
    const promise = known.get(key) ?? compute(key)
    known.set(key, promise)
    return promise
  }
}
