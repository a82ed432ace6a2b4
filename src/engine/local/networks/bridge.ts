import { access, readFile, writeFile } from 'node:fs/promises'
import { TestfleetError } from '../../../model/failures.ts'
import { say } from '../../../model/surface.ts'
import { lastWords, type Machine, runProgram } from '../programs.ts'
import { makeRules, removeRules } from './rules.ts'
import { freeSubnets, isFree, readUsedRanges, type Subnet } from './subnets.ts'

/** The bridge of a network on this machine. */
export interface Bridge extends Subnet {
  /** Whether rules were added to another firewall so that its packets pass. */
  readonly hasAccepts: boolean
}

/** Returns the name of the interface; a name has at most 15 characters. */
export function bridgeOf(networkId: string): string {
  return `tf${networkId.slice(0, 12)}`
}

/**
 * Returns the number of the group that the network's interfaces are in: all of one group can be removed at once, which
 * takes the kernel no longer than one. Far above the numbers that people give.
 */
export function groupOf(networkId: string): number {
  return 0x4000_0000 + Number.parseInt(networkId.slice(12, 19), 16)
}

export function bridgeExists(networkId: string): Promise<boolean> {
  return access(`/proc/sys/net/ipv4/conf/${bridgeOf(networkId)}`).then(
    () => true,
    () => false,
  )
}

/**
 * Creates the bridge of a network, with a subnet that nothing else uses; with the same one as before if that is still free.
 * Removes what it has made when it fails.
 */
export async function makeBridge(machine: Machine, networkId: string, before?: Subnet): Promise<Bridge> {
  const name = bridgeOf(networkId)
  try {
    const [subnet] = await Promise.all([linkBridge(machine, name, groupOf(networkId), before), allowForwarding()])
    const [hasAccepts] = await Promise.all([
      makeRules(machine, name, subnet),
      setSysctl(`/proc/sys/net/ipv4/conf/${name}/route_localnet`),
    ])
    return { range: subnet.range, gateway: subnet.gateway, hasAccepts }
  } catch (error) {
    await removeBridge(machine, networkId, true).catch(() => {})
    throw error
  }
}

/** Removes the bridge, and interfaces of containers that are still there. No error if there are none. */
export async function removeBridge(machine: Machine, networkId: string, hasAccepts: boolean): Promise<void> {
  const name = bridgeOf(networkId)
  const words = ['link', 'delete', 'group', `${groupOf(networkId)}`]
  const [{ exitCode, stderr }] = await Promise.all([
    runProgram(machine, 'ip', { arguments: words }),
    removeRules(machine, name, hasAccepts),
  ])
  if (exitCode === 0 || !(await bridgeExists(networkId))) return
  throw new TestfleetError('ENGINE_REFUSED', `the bridge ${name} cannot be removed: ${lastWords(stderr)}`)
}

const MOST_TRIES = 50

/**
 * Takes a subnet by adding its route: the kernel refuses a second one, also that of another process or another store. An
 * address would not do, since two interfaces can have the same.
 */
async function linkBridge(machine: Machine, name: string, group: number, before: Subnet | undefined): Promise<Subnet> {
  const used = await readUsedRanges()
  let first = `link add ${name} group ${group} type bridge\nlink set ${name} addrgenmode none\nlink set ${name} up\n`
  let tries = 0
  for (const subnet of candidates(used, before)) {
    if (++tries > MOST_TRIES) break
    const { range, gateway } = subnet
    const input = `${first}route add ${range} dev ${name}\naddr add ${gateway}/24 dev ${name} noprefixroute\n`
    const { exitCode, stderr } = await runProgram(machine, 'ip', { arguments: ['-batch', '-'], input })
    if (exitCode === 0) return subnet
    // The route is the last but one line, so that the bridge exists when it fails.
    const isTaken = /File exists[\s\S]*-:4\b/.test(stderr) || (first === '' && /File exists/.test(stderr))
    if (!isTaken) throw new TestfleetError('ENGINE_REFUSED', `a network cannot be created: ${lastWords(stderr)}`)
    first = ''
  }
  throw new TestfleetError('ENGINE_REFUSED', 'this machine has no private address range left for another network', {
    hint: `Every session has a network. Remove sessions that nobody uses (${say('listUnused')} lists them).`,
  })
}

function* candidates(used: Awaited<ReturnType<typeof readUsedRanges>>, before: Subnet | undefined): Generator<Subnet> {
  if (before !== undefined && isFree(before, used)) yield before
  yield* freeSubnets(used)
}

async function allowForwarding(): Promise<void> {
  const path = '/proc/sys/net/ipv4/ip_forward'
  if ((await readFile(path, 'utf8')).trim() !== '1') await setSysctl(path)
}

function setSysctl(path: string): Promise<void> {
  return writeFile(path, '1\n')
}
