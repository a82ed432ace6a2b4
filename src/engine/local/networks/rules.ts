import { TestfleetError } from '../../../model/failures.ts'
import { lastWords, type Machine, runProgram } from '../programs.ts'
import type { Subnet } from './subnets.ts'

/** Name of the network's own table of nft: all its rules vanish with it. */
export function tableOf(bridge: string): string {
  return `inet testfleet_${bridge}`
}

/**
 * Makes the rules of a network: its way out, its published ports, and what must not reach it. Replaces those of an
 * earlier call. Returns whether rules were added to another firewall, too.
 */
export async function makeRules(machine: Machine, bridge: string, subnet: Subnet): Promise<boolean> {
  const rules = networkRules(bridge, subnet)
  if (await runNft(machine, rules + acceptRules(bridge))) return true
  if (await runNft(machine, rules)) return false
  throw new TestfleetError('ENGINE_REFUSED', 'the rules of a network vanished while they were made')
}

/** Removes the rules of a network. No error if there are none. */
export async function removeRules(machine: Machine, bridge: string, hasAccepts: boolean): Promise<void> {
  const table = tableOf(bridge)
  // Added first: a table that does not exist cannot be deleted.
  const removal = `add table ${table}\ndelete table ${table}\n`
  const accepts = hasAccepts ? await findAccepts(machine, bridge) : ''
  // Somebody else may have removed them in the meantime.
  if (accepts !== '' && (await runNft(machine, removal + accepts))) return
  await runNft(machine, removal)
}

/**
 * Runs changes, all of them or none. Returns false when something that they name does not exist. ENGINE_REFUSED for every
 * other failure.
 */
export async function runNft(machine: Machine, changes: string): Promise<boolean> {
  const { exitCode, stderr } = await runProgram(machine, 'nft', { arguments: ['-f', '-'], input: changes })
  if (exitCode === 0) return true
  if (/No such file or directory/.test(stderr)) return false
  throw new TestfleetError('ENGINE_REFUSED', `nft failed (${exitCode ?? 'killed'}): ${lastWords(stderr)}`, {
    hint: 'Check that this machine has nftables with NAT (the modules nf_tables and nft_chain_nat of its kernel).',
  })
}

/**
 * A drop is final whatever other tables say, but an accept is not. So the drops are here, and before all others.
 *
 * Packets to 127.0.0.0/8 are never accepted from the bridge: with `route_localnet`, which published ports need, they would
 * reach services of the host. For the same reason no packet from outside is led to a port that is published at the loopback.
 */
function networkRules(bridge: string, { range }: Subnet): string {
  const table = tableOf(bridge)
  return `
add table ${table}
delete table ${table}
table ${table} {
  map at { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; }
  map everywhere { type inet_proto . inet_service : ipv4_addr . inet_service; }
  chain publish {
    dnat ip to meta l4proto . ip daddr . th dport map @at
    fib daddr type local dnat ip to meta l4proto . th dport map @everywhere
  }
  chain early {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }
  chain incoming {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr != 127.0.0.0/8 meta l4proto { tcp, udp } jump publish
  }
  chain own {
    type nat hook output priority -100; policy accept;
    meta nfproto ipv4 meta l4proto { tcp, udp } jump publish
  }
  chain outgoing {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${range} oifname != "${bridge}" masquerade
    ip saddr { 127.0.0.0/8, ${range} } oifname "${bridge}" ct status dnat masquerade
  }
  chain between {
    type filter hook forward priority filter - 10; policy accept;
    iifname "${bridge}" oifname "${bridge}" accept
    iifname "${bridge}" ip saddr != ${range} drop
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" ct status dnat accept
    oifname "${bridge}" drop
    iifname "${bridge}" oifname { "docker0", "docker_gwbridge" } ct status != dnat drop
  }
}
`
}

/** Docker, and others, drop what is forwarded and what they do not know. Written as iptables writes it, which has to read it. */
function acceptRules(bridge: string): string {
  return ['iifname', 'oifname']
    .map((side) => `insert rule ip filter FORWARD ${side} "${bridge}" counter accept\n`)
    .join('')
}

async function findAccepts(machine: Machine, bridge: string): Promise<string> {
  const words = ['-a', 'list', 'chain', 'ip', 'filter', 'FORWARD']
  const { stdout } = await runProgram(machine, 'nft', { arguments: words, maxBytes: 4 << 20 })
  return stdout
    .split('\n')
    .filter((line) => line.includes(`"${bridge}"`))
    .map((line) => `delete rule ip filter FORWARD handle ${/# handle (\d+)$/.exec(line)?.[1]}\n`)
    .join('')
}
