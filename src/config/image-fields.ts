import type { FieldPath, Position } from '../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../model/fleet-file.ts'
import { type FleetDocument, formatFieldPath, type TextSpan } from './document.ts'
import { DEFAULT_BASE } from './resolve-image.ts'

/** A field of a fleet file that names an image of a registry. */
export interface ImageField {
  readonly path: FieldPath
  /** Such as `servers.web.image`. */
  readonly field: string
  readonly reference: string
  /** Whether the file has it; else it is what testfleet takes where nothing is written. */
  readonly isWritten: boolean
  readonly at: Position
  readonly platform: string | undefined
  /** Where its text stands; undefined when it can only be changed by hand. */
  readonly span: TextSpan | undefined
}

/** Every field that names an image, in the order of base and servers; where none does, the one that could. */
export function listImageFields(file: FleetFile, document: FleetDocument): readonly ImageField[] {
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
  // It stands in no file: what would pin it has to be written first.
  if (needsDefault)
    fields.unshift({ ...describe(['base', 'from'], DEFAULT_BASE, undefined), isWritten: false, span: undefined })
  return fields
}

function isMadeOfBase(build: ServerDeclaration['build'], preset: string | undefined): boolean {
  return preset !== undefined || (build !== undefined && build.dockerfile === undefined)
}
