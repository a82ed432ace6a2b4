import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { PublishedPort } from '../../../model/container.ts'
import { undefinedIfGone } from '../store.ts'
import type { Attachment, Local } from '../types.ts'
import { changeRules } from './batch.ts'
import { bridgeOf } from './bridge.ts'
import { networkMissing } from './records.ts'
import { tableOf } from './rules.ts'

function unpublishPath({ store }: Local, id: string): string {
  return store.path('containers', id, 'unpublish.nft')
}

/**
 * Redirects the published ports of a container to it. Returns the program, with its words, that ends this; undefined when
 * it publishes nothing.
 */
export async function publish(
  local: Local,
  id: string,
  attachment: Attachment,
): Promise<readonly [string, ...string[]] | undefined> {
  if (attachment.published.length === 0) return undefined
  const path = unpublishPath(local, id)
  const elements = attachment.published.map((port) => elementOf(attachment, port, local.forwards !== undefined))
  const added = elements.map(({ map, key, to }) => `add element ${map} { ${key} : ${to} }\n`).join('')
  const removed = elements.map(({ map, key }) => `delete element ${map} { ${key} }\n`).join('')
  // Added first, because nothing is deleted at all when one of them is not there.
  await writeFile(path, added + removed, { mode: 0o600 })
  if (!(await changeRules(local.machine, added))) throw networkMissing(attachment.networkName)
  return ['/usr/bin/env', 'nft', '-f', path]
}

/** Packets from a forwarded port arrive at an address of the namespaces, whatever address of this machine it has. */
function elementOf(
  { networkId, ip }: Attachment,
  { address, protocol, port, container }: PublishedPort,
  isForwarded: boolean,
) {
  const table = tableOf(bridgeOf(networkId))
  const to = `${ip} . ${container}`
  if (address === '0.0.0.0' || isForwarded) return { map: `${table} everywhere`, key: `${protocol} . ${port}`, to }
  return { map: `${table} at`, key: `${protocol} . ${address} . ${port}`, to }
}

/**
 * Ends the redirection of a container's ports, and waits until they are free. Its processes have ended. The file says what
 * to remove; the table may be gone already.
 */
export async function unpublish(local: Local, id: string, { published }: Attachment): Promise<void> {
  if (published.length > 0) await local.forwards?.remove(published)
  const path = unpublishPath(local, id)
  const changes = await readFile(path, 'utf8').catch(undefinedIfGone)
  if (changes === undefined) return
  await changeRules(local.machine, changes).catch((error: Error) => {
    // The port belongs to another container already.
    if (!error.message.includes('File exists')) throw error
  })
  await monitorGone(local, id)
  await rm(path, { force: true })
}

/** How long a monitor has to end after its container. */
const MONITOR_MS = 5000

/**
 * Waits for the container's monitor, which has the ports until it ends. Its own removal of the redirection must not come
 * after that of another start has begun.
 */
async function monitorGone({ store }: Local, id: string): Promise<void> {
  const pid = Number(await readFile(store.path('containers', id, 'conmon.pid'), 'utf8').catch(() => ''))
  const until = performance.now() + MONITOR_MS
  while (pid > 0 && performance.now() < until) {
    // Once it is a zombie, it has nothing open any more, however late its parent asks for it.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (!/^\d+ \(conmon\) [^ZX]/.test(stat)) return
    await setTimeout(5)
  }
}
