import type { CheckOf, ProtocolName } from '../../model/protocols.ts'
import type { Probe, Reach } from '../check.ts'

/** Whom a protocol's check asks. */
export interface Target {
  readonly hostname: string
  readonly reach: Reach
  /** The value of one of the server's own secrets. */
  readSecret(name: string): Promise<string>
}

export type ProtocolProbe<Name extends ProtocolName> = (check: CheckOf<Name>, target: Target) => Probe
