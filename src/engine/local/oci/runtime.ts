import { TestfleetError } from '../../../model/failures.ts'
import { findProgram } from '../find-program.ts'
import { findCgroups } from './cgroups.ts'

/** OCI runtimes, the preferred one first: crun starts a container faster. */
const RUNTIMES = ['crun', 'runc']

/**
 * Returns the name of the OCI runtime that works on this machine. Starts no program. crun refuses cgroups of both versions
 * at once ("cgroups in hybrid mode not supported", 1.8.1). ENGINE_REFUSED when there is none.
 */
export async function chooseRuntime(): Promise<string> {
  const [{ isHybrid }, ...paths] = await Promise.all([findCgroups(), ...RUNTIMES.map(findProgram)])
  const found = RUNTIMES.find((name, index) => paths[index] !== undefined && !(name === 'crun' && isHybrid))
  if (found !== undefined) return found
  const why = isHybrid && paths[0] ? ', and crun does not work with cgroups of version 1 and 2 at once' : ''
  throw new TestfleetError('ENGINE_REFUSED', `runc is not installed${why}`, { hint: 'Install the package runc.' })
}
