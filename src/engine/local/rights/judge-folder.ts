import type { FolderFacts } from './facts.ts'
import type { RightsFinding } from './finding.ts'

/** File systems that overlayfs cannot write on, by their number in statfs(2). */
const unsuitable: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'SMB',
  4266872130: 'SMB',
  16914839: '9P',
  12805120: 'Ceph',
  1397113167: 'AFS',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  1702057286: 'FUSE',
  2020557398: 'a shared folder of VirtualBox',
  2035054128: 'overlayfs, as in a container',
  19780: 'FAT',
}

const leastBytes = 256 << 20
const leastFiles = 1000

const elsewhere = 'Name another folder: --engine local:/absolute/folder'

/** Says what is wrong with the store's folder. Pure. */
export function judgeFolder(facts: FolderFacts, userId: number): readonly RightsFinding[] {
  const { path, existing, isWritable, type, freeBytes, freeFiles, options } = facts
  const findings: RightsFinding[] = []
  const add = (isWrong: boolean, problem: string, advice: string): void => {
    if (isWrong) findings.push({ loses: 'engine', problem, advice })
  }
  // Some of these numbers are negative for the 32 bits that Node passes on.
  const system = unsuitable[type >>> 0]
  const isReadOnly = options.includes('ro')
  add(isReadOnly, `The store ${path} is on a file system that is mounted read-only.`, elsewhere)
  const whose = userId === 0 ? '' : ' by this user'
  add(!(isWritable || isReadOnly), `The store ${path} cannot be made or written${whose}: see ${existing}.`, elsewhere)
  add(system !== undefined, `The store ${path} is on ${system}, which cannot hold the files of servers.`, elsewhere)
  add(
    options.includes('noexec'),
    `The store ${path} is on a file system that is mounted with noexec, so no server could start.`,
    elsewhere,
  )
  const isFull = freeBytes < leastBytes || freeFiles < leastFiles
  const left = freeBytes < leastBytes ? `${Math.floor(freeBytes / 1024 ** 2)} MiB` : `${freeFiles} files`
  add(
    isFull,
    `The store ${path} is on a file system that is full (${left} left).`,
    'Make room, for example with testfleet prune, or name another folder: --engine local:/absolute/folder',
  )
  return findings
}
