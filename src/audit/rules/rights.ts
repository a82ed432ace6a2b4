import { listFinalInstructions } from '../../formats/dockerfile.ts'
import type { Severity } from '../../model/finding.ts'
import type { Server } from '../../model/fleet.ts'
import { eachServer } from '../each.ts'
import type { Subject } from '../subject.ts'

/** What each lets a process do to the machine (capabilities(7)). Those that are not here stay inside. */
const dangerous: Readonly<Record<string, readonly [severity: Severity, why: string]>> = {
  ALL: ['critical', 'is every right that there is'],
  SYS_ADMIN: ['critical', 'mounts, leaves namespaces, and is nearly root on the machine'],
  SYS_MODULE: ['critical', 'loads code into the kernel'],
  SYS_RAWIO: ['critical', 'reads and writes memory and disks directly'],
  DAC_READ_SEARCH: ['high', 'opens files of the machine by their number'],
  SYS_PTRACE: ['high', 'reads and changes other processes'],
  BPF: ['high', 'puts programs into the kernel'],
  SYS_BOOT: ['high', 'restarts the machine and loads another kernel'],
  MAC_ADMIN: ['high', 'changes what AppArmor and SELinux forbid'],
  MAC_OVERRIDE: ['high', 'gets around what AppArmor and SELinux forbid'],
  PERFMON: ['medium', 'watches the whole machine'],
  SYSLOG: ['medium', 'reads the addresses of the kernel'],
  SYS_TIME: ['medium', 'sets the clock of the machine'],
  NET_ADMIN: ['medium', 'changes addresses, routes and packet filters'],
  NET_RAW: ['low', 'sends packets of any kind, with any sender'],
  MKNOD: ['low', 'makes device files'],
  CHECKPOINT_RESTORE: ['medium', 'changes the state of processes'],
}

/** Who a server runs as, and whether it keeps rights that it was not given a reason for. */
export const findUsers = eachServer(function* (server, subject) {
  if (server.capDrop.includes('ALL')) return
  const { name, user } = server
  const at = { key: ['servers', name] }
  if (isRoot(server, subject)) {
    yield user === undefined
      ? { id: 'runs-as-root', at, message: 'no `user` is named' }
      : { id: 'runs-as-root', at: { value: ['servers', name, 'user'] }, message: `it runs as ${user}` }
  }
  yield { id: 'capabilities-kept', at, message: '`capDrop` has no ALL' }
})

/** Capabilities that are added, each as bad as what it can do. */
export const findCapabilities = eachServer(function* ({ name, capAdd }) {
  for (const [index, capability] of capAdd.entries()) {
    const [severity, why] = dangerous[capability] ?? []
    const at = { value: ['servers', name, 'capAdd', index] }
    if (severity !== undefined) yield { id: 'capability-added', at, message: `${capability} ${why}`, severity }
  }
})

/** By what the fleet says; an image can still name a user of its own. */
function isRoot(server: Server, { dockerfiles }: Subject): boolean {
  if (server.user !== undefined) return isRootName(server.user)
  const own = dockerfiles.find((dockerfile) => dockerfile.server === server.name)
  const instructions = own === undefined ? [] : listFinalInstructions(own.instructions, own.target)
  const user = instructions.findLast(({ keyword }) => keyword === 'USER')?.rest
  return user === undefined || isRootName(user)
}

function isRootName(user: string): boolean {
  return /^(?:root|0+)(?::|$)/.test(user)
}
