import { hash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { readTextInside } from '../files/inside.ts'
import { type IgnoreFile, IgnoreFileError, readIgnoreFile } from '../formats/ignore-file.ts'
import { showPath, slashPath } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import type { CopyItem, FieldPath, Fleet, ImageRecipe, Position } from '../model/fleet.ts'
import type { BuildContent, ContextEntry, PreparedBuild, PreparedCopy } from '../model/plan.ts'
import { type CollectOptions, collectFiles, countContext } from './collect-files.ts'
import { contentTimeS } from './content-time.ts'
import { renderSteps } from './render-dockerfile.ts'

/** Goes into every digest: a new way to render asks for new images. */
const FORMAT = 3
const DIGEST_LENGTH = 16
/** As for the fleet file: a person writes them. */
const MAX_TEXT_BYTES = 1024 * 1024

export interface BaseImage {
  readonly reference: string
  /** What tells this image from another one of the same name; undefined as long as the engine lacks it. */
  readonly identity: string | undefined
  /** Who runs in the image: builds on it work as root, and leave it as it was. */
  readonly user?: string | undefined
  readonly prepared: PreparedBuild | undefined
}

/**
 * Reads all that goes into an image and names the image by it; without the base's identity, it has no tag yet.
 * `base` is undefined for a Dockerfile of the user's own.
 */
export async function prepareBuild(
  recipe: ImageRecipe,
  base: BaseImage | undefined,
  { folder, source }: Pick<Fleet, 'folder' | 'source'>,
  signal: AbortSignal | undefined,
): Promise<Omit<PreparedBuild, 'isPresent'>> {
  const root = realpathSync.native(folder)
  const size = countContext()
  const leftOut: string[] = []
  const onLeftOut = (path: string): void => void leftOut.push(path)
  const collect: Collect = (path, at, options) =>
    collectFiles(path, { root, at: source.locate(at), size, signal, onLeftOut, ...options })
  const content =
    recipe.kind === 'dockerfile'
      ? await readOwnDockerfile(recipe, { root, at: source.locate([...recipe.at, 'dockerfile']) }, collect)
      : await prepareSteps(recipe, base, collect)
  const settings = recipe.kind === 'dockerfile' ? [recipe.target, [...recipe.args].sort()] : []
  const digest = digestOf([FORMAT, base?.identity, recipe.platform, settings, summarizeContent(content)])
  const isNamed = base === undefined || base.identity !== undefined
  const reference = isNamed ? `${recipe.repository}:${digest}` : recipe.repository
  return { recipe, digest, reference, isNamed, base: base?.prepared, content, leftOut: leftOut.sort() }
}

function digestOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value)).slice(0, DIGEST_LENGTH)
}

function summarizeContent(content: BuildContent): readonly unknown[] {
  if (content.kind === 'dockerfile') return [content.dockerfile, content.entries.map(summarize)]
  const { base, before, copies, after } = content
  return [base, before.lines, copies.map(summarizeCopy), after.lines]
}

function summarizeCopy({ source, to, owner, modifiedAtS, entries }: PreparedCopy): readonly unknown[] {
  const name = source.kind === 'file' ? source.name : undefined
  return [
    source.kind,
    name,
    source.kind === 'folder' ? posix.resolve(to) : to,
    owner,
    modifiedAtS,
    entries.map(summarize),
  ]
}

/** What of an entry reaches the image. */
function summarize(entry: ContextEntry): readonly unknown[] {
  switch (entry.kind) {
    case 'folder':
      return [entry.path, entry.mode]
    case 'link':
      return [entry.path, 'link', entry.target]
    case 'text':
      return [entry.path, entry.mode, entry.text]
    case 'archive':
      return [entry.path, entry.entries.map(summarize)]
    case 'file':
      return [entry.path, entry.mode, entry.sizeBytes, entry.digest]
  }
}

/** Collects what the field at `at` asks for. */
type Collect = (
  path: string,
  at: FieldPath,
  options: Pick<CollectOptions, 'mode' | 'mayLeave' | 'isShipped' | 'ignore'> & { readonly root?: string },
) => Promise<ContextEntry[]>

type StepsRecipe = Extract<ImageRecipe, { kind: 'steps' }>
type DockerfileRecipe = Extract<ImageRecipe, { kind: 'dockerfile' }>

async function prepareSteps(
  recipe: StepsRecipe,
  { reference = '', user }: Partial<BaseImage> = {},
  collect: Collect,
): Promise<BuildContent> {
  const { steps, at } = recipe
  const copies = await Promise.all(steps.copy.map((item, index) => prepareCopy(item, [...at, 'copy', index], collect)))
  const step = { title: `from ${reference}`, at: [...at, 'from'] }
  return { kind: 'steps', base: reference, from: step, ...renderSteps(steps, at, user), copies }
}

async function prepareCopy(item: CopyItem, at: FieldPath, collect: Collect): Promise<PreparedCopy> {
  const { to, owner, mode, modifiedAtS } = item
  const shared = { step: { title: `copy to ${to}`, at }, to, owner, modifiedAtS }
  if (item.source.kind === 'content') {
    const text = item.source.content
    const time = contentTimeS(hash('sha256', text))
    const entry: ContextEntry = { kind: 'text', path: '.', mode: mode ?? 0o644, modifiedAtS: time, text }
    return { ...shared, source: { kind: 'content' }, entries: [entry] }
  }
  const { path, folder, mayLeave, isShipped, ignored } = item.source
  const ignore = ignored.length === 0 ? undefined : readIgnoreFile(ignored.join('\n'))
  const options = { root: realpathSync.native(folder), mode, mayLeave, isShipped, ignore }
  const entries = await collect(path, [...at, 'from'], options)
  const isFolder = entries[0]?.kind === 'folder'
  return { ...shared, source: isFolder ? { kind: 'folder' } : { kind: 'file', name: basename(path) }, entries }
}

/** The fleet's folder, and where in the fleet file the Dockerfile is named. */
interface Surroundings {
  readonly root: string
  readonly at: Position
}

/**
 * A Dockerfile that is in the context goes as it is. One that is not, or that .dockerignore keeps out, travels beside the
 * context's own files: BuildKit takes a context as one archive, and knows no file of it that COPY does not see.
 */
async function readOwnDockerfile(
  recipe: DockerfileRecipe,
  where: Surroundings,
  collect: Collect,
): Promise<BuildContent> {
  const ignore = await findIgnoreFile(recipe, where)
  const { mayLeave } = recipe
  const collected = await collect(recipe.context, [...recipe.at, 'context'], { ignore, mayLeave })
  const entries = collected.filter((entry) => entry.path !== '.')
  const path = slashPath(recipe.context, recipe.dockerfile)
  const isInContext = entries.some((entry) => entry.kind === 'file' && entry.path === path)
  return {
    kind: 'dockerfile',
    dockerfile: await readText(recipe.dockerfile, recipe, where),
    dockerfilePath: isInContext ? path : '.testfleet.Dockerfile',
    entries,
  }
}

/** `<Dockerfile>.dockerignore` goes before the context's own. */
async function findIgnoreFile(recipe: DockerfileRecipe, where: Surroundings): Promise<IgnoreFile> {
  for (const path of [`${recipe.dockerfile}.dockerignore`, join(recipe.context, '.dockerignore')]) {
    try {
      return readIgnoreFile(await readText(path, recipe, where))
    } catch (error) {
      if (error instanceof IgnoreFileError) {
        // What may be outside can be any file of the caller's, and is not quoted.
        const what = recipe.mayLeave ? `the pattern ${error.why}` : error.message
        const message = `${showPath(path, where.root)}:${error.line}: ${what}`
        throw new TestfleetError('FLEET_FILE_INVALID', message, { at: where.at, cause: error })
      }
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return readIgnoreFile('')
}

function readText(path: string, { mayLeave }: DockerfileRecipe, { root, at }: Surroundings): Promise<string> {
  return readTextInside(path, { folder: root, mayLeave, maxBytes: MAX_TEXT_BYTES, at })
}
