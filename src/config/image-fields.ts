import { dirname, relative, resolve } from 'node:path'
import { readTextInside } from '../files/inside.ts'
import { listBaseImages, parseDockerfile } from '../formats/dockerfile.ts'
import { parseImageReference } from '../formats/image-reference.ts'
import { showPath } from '../formats/paths.ts'
import type { FieldPath, Position } from '../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../model/fleet-file.ts'
import type { Host } from '../model/host.ts'
import { type FleetDocument, formatFieldPath, type TextSpan } from './document.ts'
import { explainMistakes } from './explain-mistakes.ts'
import { loadFleetModule } from './load-fleet.ts'
import { locateFleetFile } from './locate-fleet-file.ts'
import { parseYaml, readText } from './read-yaml.ts'
import { DEFAULT_BASE } from './resolve-image.ts'
import { isTextFile } from './trust-fleet-file.ts'

export interface ImageFields {
  readonly path: string
  /** The path as messages show it. */
  readonly file: string
  /** The file's content, or undefined for a module. */
  readonly text: string | undefined
  readonly fields: readonly ImageField[]
  /** Base images of the user's own Dockerfiles without a digest. */
  readonly dockerfileBases: readonly DockerfileBase[]
}

export interface DockerfileBase {
  readonly at: Position
  readonly reference: string
}

/** Same limit as where it is built: people write it. */
const MAX_DOCKERFILE_BYTES = 1024 * 1024

/** The fields of a valid fleet file that name images, with the position of their text. Fails with FLEET_FILE_INVALID. */
export async function readImageFields(named: string | undefined, host: Host): Promise<ImageFields> {
  const { workingFolder } = host
  const { path } = await locateFleetFile(named, host)
  const file = showPath(path, workingFolder)
  const text = isTextFile(path) ? await readText(path, file) : undefined
  const document = text === undefined ? await loadFleetModule(path, file) : parseYaml(text, file)
  explainMistakes(document, [])
  const fleet = document.value as FleetFile
  const folder = dirname(path)
  const dockerfiles = new Map<string, boolean>()
  for (const { build } of Object.values(fleet.servers)) {
    if (build?.dockerfile !== undefined) dockerfiles.set(resolve(folder, build.dockerfile), build.outside === true)
  }
  const bases = [...dockerfiles].map(async ([dockerfile, mayLeave]) =>
    listBaseImages(
      parseDockerfile(await readTextInside(dockerfile, { folder, mayLeave, maxBytes: MAX_DOCKERFILE_BYTES })),
    )
      .filter(({ reference }) => parseImageReference(reference).digest === undefined)
      .map(({ line, reference }) => ({
        at: { file: relative(workingFolder, dockerfile), line, column: 1 },
        reference,
      })),
  )
  const dockerfileBases = (await Promise.all(bases)).flat()
  return { path, file, text, fields: listImageFields(fleet, document), dockerfileBases }
}

/** A field of a fleet file that names an image of a registry. */
export interface ImageField {
  readonly path: FieldPath
  /** Such as `servers.web.image`. */
  readonly field: string
  readonly reference: string
  /** Whether the file has it; else it is testfleet's default. */
  readonly isWritten: boolean
  readonly at: Position
  readonly platform: string | undefined
  /** Position of its text, or undefined when it can only be changed by hand. */
  readonly span: TextSpan | undefined
}

/** Every field that names an image, in the order of base and servers. Without one, the field that could. */
function listImageFields(file: FleetFile, document: FleetDocument): readonly ImageField[] {
  const describe = (path: FieldPath, reference: string, platform: string | undefined): ImageField => ({
    path,
    field: formatFieldPath(path),
    reference,
    isWritten: true,
    at: document.locate(path),
    platform,
    span: document.locateText(path),
  })
  const { base } = file
  const fields = base?.from === undefined ? [] : [describe(['base', 'from'], base.from, undefined)]
  let needsDefault = false
  for (const [name, { image, build, preset, platform }] of Object.entries(file.servers)) {
    if (image !== undefined) fields.push(describe(['servers', name, 'image'], image, platform))
    if (build?.from !== undefined) fields.push(describe(['servers', name, 'build', 'from'], build.from, platform))
    else if (isMadeOfBase(build, preset) && base?.from === undefined) needsDefault = true
  }
  // The field is not in the file: it must be added before it can be pinned.
  if (needsDefault)
    fields.unshift({ ...describe(['base', 'from'], DEFAULT_BASE, undefined), isWritten: false, span: undefined })
  return fields
}

function isMadeOfBase(build: ServerDeclaration['build'], preset: string | undefined): boolean {
  return preset !== undefined || (build !== undefined && build.dockerfile === undefined)
}
