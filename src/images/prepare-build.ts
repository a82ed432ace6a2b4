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

/** Part of every digest: a change of how Dockerfiles are rendered requires new images. */
const FORMAT = 3
const DIGEST_LENGTH = 16
/** Same limit as for the fleet file: people write them. */
const MAX_TEXT_BYTES = 1024 * 1024

export interface BaseImage {
  readonly reference: string
  /** Identity of the image, or undefined while the engine lacks it. */
  readonly identity: string | undefined
  /** User of the image. Builds based on it run as root and restore this user. */
  readonly user?: string | undefined
  readonly prepared: PreparedBuild | undefined
}

/**
 * Reads the content of an image and derives its name from it. Without the identity of the base, it has no tag yet.
 * `base` is undefined for the user's own Dockerfile.
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

/** The parts of an entry that reach the image. */
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

/** Collects the files that the field at `at` declares. */
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

/** The fleet's folder, and where the fleet file names the Dockerfile. */
interface Surroundings {
  readonly root: string
  readonly at: Position
}

/**
 * A Dockerfile in the context is sent as part of it. One outside it, or excluded by .dockerignore, is added to the
 * archive: BuildKit takes a context as one archive, and has no file that COPY does not see.
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

/** `<Dockerfile>.dockerignore` has precedence over the context's own. */
async function findIgnoreFile(recipe: DockerfileRecipe, where: Surroundings): Promise<IgnoreFile> {
  for (const path of [`${recipe.dockerfile}.dockerignore`, join(recipe.context, '.dockerignore')]) {
    try {
      return readIgnoreFile(await readText(path, recipe, where))
    } catch (error) {
      if (error instanceof IgnoreFileError) {
        // A file that may be outside the fleet's folder can be any file of the caller, so it is not quoted.
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
