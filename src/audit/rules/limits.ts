import { eachServer } from '../each.ts'

/** What can grow without end. */
export const findLimits = eachServer(function* ({ name, limits, tmpfs }) {
  if (limits.memoryBytes === undefined)
    yield { id: 'memory-unlimited', at: { key: ['servers', name] }, message: 'it can take all memory' }
  for (const [index, { to, sizeBytes }] of tmpfs.entries()) {
    const at = { value: ['servers', name, 'tmpfs', index] }
    if (sizeBytes === undefined) yield { id: 'tmpfs-unsized', at, message: `${to} can grow without end` }
  }
})
