import { loadFleet } from '../config/load-fleet.ts'
import { isTextFile } from '../config/trust-fleet-file.ts'
import type { Host } from '../model/host.ts'
import type { Locate } from './rules.ts'

/**
 * Returns the places of a fleet file's fields as they are now; none for a fleet without a file, and for a file that has
 * become wrong or is a program, which is not run for this.
 */
export async function locateIn(file: string | undefined, host: Host): Promise<Locate> {
  if (file === undefined) return () => undefined
  if (!isTextFile(file)) return () => ({ file })
  try {
    const { source, servers } = await loadFleet({ kind: 'file', named: file }, host)
    return (path) => {
      if (!servers.has(String(path[1]))) return { file: source.file }
      // A server as a whole is its name; its fields are in the lines after it.
      return path.length === 2 ? source.locateKey(path) : source.locate(path)
    }
  } catch {
    return () => ({ file })
  }
}
