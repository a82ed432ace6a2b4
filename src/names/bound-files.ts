import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** A file that replaces another one in the view of a command. */
export interface BoundFile {
  readonly name: string
  readonly content: string
  readonly to: string
}

/** Socket of the daemon that answers name lookups for the C library with the machine's own names. */
const nameDaemon = '/var/run/nscd/socket'

/** Source name of a view's file system in the list of mounts. */
export const VIEW_SOURCE = 'testfleet'

/** /etc/hosts as this process sees it. */
export interface HostsView {
  readonly text: string
  /** Whether an outer call of testfleet has provided this file; the machine's own file is another one. */
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

/** Returns the files that a command sees in place of the machine's own. Fails with errors of the file system. */
export async function listBoundFiles(hosts: string): Promise<readonly BoundFile[]> {
  const services = putFilesFirst(await readFile('/etc/nsswitch.conf', 'utf8').catch(() => ''))
  return [
    { name: 'hosts', content: hosts, to: '/etc/hosts' },
    ...(services === undefined ? [] : [{ name: 'nsswitch.conf', content: services, to: '/etc/nsswitch.conf' }]),
    // With an empty file in place of the socket, the C library looks up names itself.
    ...(existsSync(nameDaemon) ? [{ name: 'no-daemon', content: '', to: nameDaemon }] : []),
  ]
}

/**
 * Returns an nsswitch.conf that uses /etc/hosts first; undefined when the given one does already. Another service that
 * is asked first, such as systemd-resolved, would answer for the machine without knowing the command's own /etc/hosts.
 */
export function putFilesFirst(nsswitch: string): string | undefined {
  const lines = nsswitch.split('\n')
  const index = lines.findLastIndex((line) => /^\s*hosts:/.test(line))
  // Without a line for hosts, the C library reads files first.
  if (index === -1) return undefined
  const services = (lines[index] ?? '').replace(/#.*/s, '').trim().slice('hosts:'.length)
  if (/^\s*files\b/.test(services)) return undefined
  // Also removes the actions in brackets after the service.
  const others = services.replaceAll(/(?<!\S)files(?:\s+\[[^\]]*\])*/g, '').trim()
  return lines.with(index, `hosts: files ${others.replaceAll(/\s+/g, ' ')}`.trim()).join('\n')
}
