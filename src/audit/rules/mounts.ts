import { relative } from 'node:path'
import { eachServer } from '../each.ts'
import { sensitivePart } from '../sensitive-files.ts'

/** What a server sees of the files here, and may change. */
export const findMounts = eachServer(function* ({ name, mounts }, { fleet }) {
  for (const [index, mount] of mounts.entries()) {
    if (mount.kind !== 'bind') continue
    const at = { value: ['servers', name, 'mounts', index] }
    const shown = relative(fleet.folder, mount.from) || "the fleet's folder"
    if (mount.from === fleet.folder) {
      const message = `${mount.to} is all of the fleet's folder`
      yield { id: 'mount-fleet-folder', at, message, severity: mount.writable ? 'high' : 'medium' }
    }
    if (mount.writable) yield { id: 'mount-writable', at, message: `the server can change ${shown}` }
    if (sensitivePart(shown) !== undefined) yield { id: 'sensitive-file-mounted', at, message: `${shown} is mounted` }
  }
})
