import type { FieldPath, Server } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'

/** Keys of a server that contradict `bake`: what the image would not contain, or would contain of this machine. */
export function checkBake({ name, bake, ready, mounts, unsafe }: Server, report: ReportMistake): void {
  if (bake === undefined) return
  const at: FieldPath = ['servers', name, 'bake']
  if (ready.some(({ kind }) => kind === 'exit'))
    report(at, 'cannot go with an `exit` check, as the server does its work again at every start')
  if (unsafe.engineSocket)
    report(at, 'cannot go with `engineSocket`, as what the server does to the engine is not in its image')
  for (const [index, mount] of mounts.entries()) {
    if (!mount.writable) continue
    const what = mount.kind === 'volume' ? `the volume ${mount.volume}` : 'a writable mount'
    report(
      ['servers', name, 'mounts', index],
      `\`bake\` cannot go with ${what}: what the server writes to ${mount.to} would not be in its image`,
    )
  }
}
