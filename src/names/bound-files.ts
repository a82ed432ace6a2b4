import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../model/host.ts'
import { addToHosts, type HostsEntry } from './hosts-file.ts'
import { putFilesFirst } from './name-services.ts'

/** A file that takes the place of another one, for those who see it. */
export interface BoundFile {
  readonly from: string
  readonly to: string
}

export interface BoundFiles extends AsyncDisposable {
  readonly files: readonly BoundFile[]
}

/** Where the daemon listens that answers for the C library, if there is one; its answers are those of the machine. */
const nameDaemon = '/var/run/nscd/socket'

/** Writes what a command has to see so that these names lead where they should. Fails as files do. */
export async function writeBoundFiles(entries: readonly HostsEntry[], host: Host): Promise<BoundFiles> {
  const folder = await mkdtemp(join(host.temporaryFolder, 'testfleet-names-'))
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const files: BoundFile[] = []
  const add = async (name: string, content: string, to: string): Promise<void> => {
    const from = join(folder, name)
    await writeFile(from, content, { mode: 0o644 })
    files.push({ from, to })
  }
  try {
    await add('hosts', addToHosts(await readFile('/etc/hosts', 'utf8'), entries), '/etc/hosts')
    const services = putFilesFirst(await readFile('/etc/nsswitch.conf', 'utf8').catch(() => ''))
    if (services !== undefined) await add('nsswitch.conf', services, '/etc/nsswitch.conf')
    // Without it, the C library looks by itself.
    if (await isThere(nameDaemon)) await add('no-daemon', '', nameDaemon)
  } catch (error) {
    await dispose()
    throw error
  }
  return { files, [Symbol.asyncDispose]: dispose }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
