import { eachServer, eachSteps } from '../each.ts'

const WRITABLE_BY_ALL = 0o002
const SETUID_OR_SETGID = 0o6000
const STICKY = 0o1000

/** Modes of copied files that give more than they should. */
export const findCopyModes = eachSteps(function* ({ at, steps }) {
  for (const [index, { mode = 0, to }] of steps.copy.entries()) {
    const place = { value: [...at, 'copy', index, 'mode'] }
    const message = `${to} gets mode ${formatMode(mode)}`
    if ((mode & WRITABLE_BY_ALL) !== 0) yield { id: 'copy-world-writable', at: place, message }
    if ((mode & SETUID_OR_SETGID) !== 0) yield { id: 'copy-setuid', at: place, message }
  }
})

/** Folders in memory in which everyone can replace what others have put there. */
export const findTmpfsModes = eachServer(function* ({ name, tmpfs }) {
  for (const [index, { to, mode = 0 }] of tmpfs.entries()) {
    if ((mode & WRITABLE_BY_ALL) === 0 || (mode & STICKY) !== 0) continue
    const at = { value: ['servers', name, 'tmpfs', index, 'mode'] }
    yield { id: 'tmpfs-world-writable', at, message: `${to} gets mode ${formatMode(mode)}` }
  }
})

function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
