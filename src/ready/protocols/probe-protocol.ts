import type { ProtocolCheck, ProtocolName } from '../../model/protocols.ts'
import type { Probe } from '../check.ts'
import type { ProtocolProbe, Target } from './target.ts'

/** Each is loaded when it is asked for: a fleet speaks few of them. */
// @ts-expect-error: the others are being written
const probes: { readonly [Name in ProtocolName]: () => Promise<ProtocolProbe<Name>> } = {
  dns: async () => (await import('./dns.ts')).probeDns,
  redis: async () => (await import('./redis.ts')).probeRedis,
}

/** A check that speaks a protocol, as a probe. */
export function probeProtocol(check: ProtocolCheck, target: Target): Probe {
  let probe: Promise<Probe> | undefined
  return async (signal, patienceMs) => {
    probe ??= loadProbe(check, target)
    return (await probe)(signal, patienceMs)
  }
}

/** The table holds for each kind the probe of that kind. */
async function loadProbe(check: ProtocolCheck, target: Target): Promise<Probe> {
  const load = probes[check.kind] as () => Promise<ProtocolProbe<ProtocolName>>
  return (await load())(check as never, target)
}
