import type { CallOptions, Engine } from '../engine/engine.ts'
import { type Labels, label, type PackageVersions } from '../model/labels.ts'
import type { BuildContent, ContextEntry, PreparedStep } from '../model/plan.ts'
import { openImageFiles } from './image-files.ts'
import { placeFiles } from './place-files.ts'
import { hasAll, labelPackages, readImage, readVersions } from './record-packages.ts'
import { archiveName, renderLines, renderUnpack } from './render-dockerfile.ts'

/** One call of the engine's builder. */
export interface Stage {
  readonly tags: readonly string[]
  readonly labels: Labels
  readonly dockerfile: { readonly path: string; readonly text: string }
  readonly entries: readonly ContextEntry[]
  /** The steps as the engine counts them, from FROM on; undefined is one that is not reported. */
  readonly steps: readonly (PreparedStep | undefined)[]
  /** Steps of the whole image; none for the user's own Dockerfile. */
  readonly allSteps: readonly PreparedStep[]
}

type StepsContent = Extract<BuildContent, { kind: 'steps' }>

/** The image that is built. */
export interface StepsImage {
  readonly tags: readonly string[]
  readonly labels: Labels
  /** A reference that no other call knows. */
  readonly unfinished: string
  /** Id of the change under which things are created. */
  readonly change: string
  readonly platform: string | undefined
  /** Packages whose versions after the first steps are recorded in a label; undefined when they are recorded later. */
  readonly packages?: readonly string[] | undefined
}

/**
 * Builds an image from steps. Where copies arrive depends on the folders, links and users of the image, including those
 * of its packages, so the steps before the copies are built and examined first. Returns the versions that were recorded.
 * Fails with a `PlacementError`, and as `runStage` does.
 */
export async function buildSteps(
  content: StepsContent,
  image: StepsImage,
  engine: Engine,
  runStage: (stage: Stage) => Promise<void>,
  options: CallOptions,
): Promise<PackageVersions | undefined> {
  const { base, from, before, copies, after } = content
  const allSteps = [from, ...before.steps, ...copies.map(({ step }) => step), ...after.steps]
  const run = (stage: Pick<Stage, 'tags' | 'labels' | 'steps'>, lines: readonly string[], archives: Archive[] = []) =>
    runStage({
      ...stage,
      dockerfile: { path: 'Dockerfile', text: renderLines(lines) },
      entries: archives.map(({ path, entries }) => ({ kind: 'archive', path, mode: 0o644, entries })),
      allSteps,
    })
  const { cachingLines } = before
  const mayCache = cachingLines !== undefined && (await engine.hasCacheMounts(options))
  const first = {
    lines: [`FROM ${base}`, ...(mayCache ? cachingLines : before.lines)],
    steps: [from, ...before.steps],
  }
  const { tags, labels } = image
  if (copies.length === 0) {
    await run({ tags, labels, steps: [...first.steps, ...after.steps] }, [...first.lines, ...after.lines])
    return undefined
  }

  const isBuilt = before.steps.length > 0
  const under = isBuilt ? `${image.unfinished}-packages` : base
  const ofChange = { ...labels, [label.change]: image.change }
  if (isBuilt) await run({ tags: [under], labels: ofChange, steps: first.steps }, first.lines)

  const reader = { reference: under, name: image.unfinished, platform: image.platform, labels: ofChange }
  const read = async (id: string): Promise<[ContextEntry[][], PackageVersions | undefined]> =>
    Promise.all([
      placeFiles(copies, openImageFiles(id, engine, options)),
      image.packages && readVersions(image.packages, id, engine, options),
    ])
  const [placed, versions] = await readImage(reader, engine, read, options)
  const archives = placed.flatMap((entries, index): Archive[] => {
    const step = copies[index]?.step
    // The engine would unpack an archive without members as a file.
    if (entries.length === 0 || step === undefined) return []
    return [{ step, path: archiveName(index), line: renderUnpack(index), entries }]
  })
  const steps = [isBuilt ? undefined : from, ...archives.map(({ step }) => step), ...after.steps]
  const start = isBuilt ? [`FROM ${under}`] : first.lines
  // An image inherits the labels of its base. A complete image belongs to no change.
  const complete = { ...(isBuilt ? { [label.change]: '' } : {}), ...labels, ...(versions && labelPackages(versions)) }
  const lines = [...start, ...archives.map(({ line }) => line), ...after.lines]
  // Of two calls that build the same, the second would take the name from the image of the first.
  if (versions === undefined || !(await hasAll(tags, engine, options)))
    await run({ tags, labels: complete, steps }, lines, archives)
  if (isBuilt) await engine.removeImage(under)
  return versions
}

interface Archive {
  readonly step: PreparedStep
  readonly path: string
  readonly line: string
  readonly entries: readonly ContextEntry[]
}
