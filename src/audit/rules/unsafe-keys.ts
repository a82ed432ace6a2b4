import type { FindingId } from '../../model/finding.ts'
import type { Unsafe } from '../../model/fleet.ts'
import { eachServer } from '../each.ts'

const keys: readonly (readonly [key: keyof Unsafe, id: FindingId, message: string])[] = [
  ['privileged', 'privileged', 'it is privileged'],
  ['engineSocket', 'engine-socket', "it has the engine's socket"],
  ['newPrivileges', 'new-privileges', 'its programs may gain rights'],
]

/** What the fleet file opens that is closed by default. */
export const findUnsafeKeys = eachServer(function* ({ name, unsafe }) {
  for (const [key, id, message] of keys)
    if (unsafe[key]) yield { id, at: { value: ['servers', name, 'unsafe', key] }, message }
})
