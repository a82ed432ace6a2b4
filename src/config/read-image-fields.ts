import { readFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { listBaseImages, parseDockerfile } from '../formats/dockerfile.ts'
import { parseImageReference } from '../formats/image-reference.ts'
import { showPath } from '../formats/paths.ts'
import type { Position } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { findFleetFile } from './find-fleet-file.ts'
import { type ImageField, listImageFields } from './image-fields.ts'
import { loadFleetModule } from './load-module.ts'
import { parseFleetText } from './parse-text.ts'
import { isTextFile, readText } from './read-fleet.ts'
import { validateDocument } from './validate.ts'

export interface ImageFields {
  readonly path: string
  /** The path as messages show it. */
  readonly file: string
  /** What the file holds; undefined for a module. */
  readonly text: string | undefined
  readonly fields: readonly ImageField[]
  /** What Dockerfiles of the user's own start from without a digest. */
  readonly dockerfileBases: readonly DockerfileBase[]
}

export interface DockerfileBase {
  readonly at: Position
  readonly reference: string
}

/** The fields of a valid fleet file that name images, with where their text stands. Fails with a `FleetFileError`. */
export async function readImageFields(named: string | undefined, { workingFolder }: Host): Promise<ImageFields> {
  const path = await findFleetFile(workingFolder, named)
  const file = showPath(path, workingFolder)
  const text = isTextFile(path) ? await readText(path, file) : undefined
  const document = text === undefined ? await loadFleetModule(path, file) : parseFleetText(text, file)
  const fleet = validateDocument(document)
  const dockerfiles = Object.values(fleet.servers).flatMap(({ build }) =>
    build?.dockerfile === undefined ? [] : [resolve(dirname(path), build.dockerfile)],
  )
  const bases = [...new Set(dockerfiles)].map(async (dockerfile) =>
    listBaseImages(parseDockerfile(await readFile(dockerfile, 'utf8')))
      .filter(({ reference }) => parseImageReference(reference).digest === undefined)
      .map(({ line, reference }) => ({
        at: { file: relative(workingFolder, dockerfile), line, column: 1 },
        reference,
      })),
  )
  return {
    path,
    file,
    text,
    fields: listImageFields(fleet, document),
    dockerfileBases: (await Promise.all(bases)).flat(),
  }
}
