import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** A file that is shown in place of another one. */
export interface BoundFile {
  readonly name: string
  readonly content: string
  readonly to: string
}

/** Socket of the daemon that answers for the C library, where one runs. Its answers are those of the machine. */
const nameDaemon = '/var/run/nscd/socket'

/** What the file system of a view is called in the list of mounts. */
export const VIEW_SOURCE = 'testfleet'

/** /etc/hosts as this process sees it. */
export interface HostsView {
  readonly text: string
  /** Whether a call of testfleet around this one has made it: the machine has another one. */
  readonly isOuterSession: boolean
}

export async function readHostsView(): Promise<HostsView> {
  const [text, mounts] = await Promise.all(
    ['/etc/hosts', '/proc/self/mountinfo'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  return { text: text ?? '', isOuterSession: isOuterView(mounts ?? '') }
}

/** Reads the text of /proc/self/mountinfo. The last line for a path counts. */
export function isOuterView(mounts: string): boolean {
  const line = mounts.split('\n').findLast((line) => line.split(' ')[4] === '/etc/hosts')
  return line?.split(' - ')[1]?.split(' ')[1] === VIEW_SOURCE
}

/** The files that a command has to see in place of the machine's own. Fails as files do. */
export async function listBoundFiles(hosts: string): Promise<readonly BoundFile[]> {
  const services = putFilesFirst(await readFile('/etc/nsswitch.conf', 'utf8').catch(() => ''))
  return [
    { name: 'hosts', content: hosts, to: '/etc/hosts' },
    ...(services === undefined ? [] : [{ name: 'nsswitch.conf', content: services, to: '/etc/nsswitch.conf' }]),
    // Without the daemon, the C library looks by itself.
    ...(existsSync(nameDaemon) ? [{ name: 'no-daemon', content: '', to: nameDaemon }] : []),
  ]
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
