import { basename } from 'node:path'

/** The folder's name, made into a name that a fleet can have. */
export function defaultFleetName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'fleet' : name
}
