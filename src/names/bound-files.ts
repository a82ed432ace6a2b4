import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../model/host.ts'
import { addToHosts, type HostsEntry } from './hosts-file.ts'

/** A file that is mounted over another one. */
export interface BoundFile {
  readonly from: string
  readonly to: string
}

export interface BoundFiles extends AsyncDisposable {
  readonly files: readonly BoundFile[]
}

/** Socket of the daemon that answers for the C library, where one runs. Its answers are those of the machine. */
const nameDaemon = '/var/run/nscd/socket'

/** Writes the files that a command has to see in place of the machine's own. Fails as files do. */
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
    // Without the daemon, the C library looks by itself.
    if (existsSync(nameDaemon)) await add('no-daemon', '', nameDaemon)
  } catch (error) {
    await dispose()
    throw error
  }
  return { files, [Symbol.asyncDispose]: dispose }
}

/**
 * Returns an nsswitch.conf that looks into /etc/hosts first; undefined when this one does so already. Another service that
 * is asked first, such as systemd-resolved, answers for the machine and does not know a file that only some processes see.
 */
export function putFilesFirst(nsswitch: string): string | undefined {
  const lines = nsswitch.split('\n')
  const index = lines.findLastIndex((line) => /^\s*hosts:/.test(line))
  // Without a line for hosts, the C library looks into files first.
  if (index === -1) return undefined
  const services = (lines[index] ?? '').replace(/#.*/s, '').trim().slice('hosts:'.length)
  if (/^\s*files\b/.test(services)) return undefined
  // Also the actions in brackets after the service.
  const others = services.replaceAll(/(?<!\S)files(?:\s+\[[^\]]*\])*/g, '').trim()
  return lines.with(index, `hosts: files ${others.replaceAll(/\s+/g, ' ')}`.trim()).join('\n')
}
