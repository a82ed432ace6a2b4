import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../../model/host.ts'
import { chooseRuntime } from './oci/runtime.ts'
import { PROGRAM_FOLDERS } from './programs.ts'

/** Programs that the local engine starts, and the packages of Debian that have them. */
const programs: Readonly<Record<string, string>> = {
  conmon: 'conmon',
  ip: 'iproute2',
  nft: 'nftables',
  mount: 'mount',
}

/** Why the local engine cannot be used here, with what to do, as one sentence; undefined when it can. */
export async function findProblem({ userId }: Pick<Host, 'userId'>): Promise<string | undefined> {
  if (userId !== 0) return 'it needs root'
  const missing = await findMissingPackages()
  return missing.length === 0
    ? undefined
    : `it needs the packages ${missing.join(', ')} (sudo apt-get install ${missing.join(' ')})`
}

/** Names of Debian's packages whose programs are missing. */
export async function findMissingPackages(): Promise<readonly string[]> {
  const found = await Promise.all(
    Object.entries(programs).map(async ([program, name]) => ((await isInstalled(program)) ? [] : [name])),
  )
  const runtime = await chooseRuntime().then(
    () => [],
    () => ['runc'],
  )
  return [...runtime, ...found.flat()]
}

async function isInstalled(program: string): Promise<boolean> {
  const found = await Promise.all(
    PROGRAM_FOLDERS.map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}
