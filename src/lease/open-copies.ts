import { openSecretReader, type SecretValues } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import { CopyLending, type CopySettings } from './lend-copies.ts'
import type { Lendable } from './lendable.ts'
import type { FleetOrder } from './order.ts'
import { type PlannedServer, planServer, refuseTooMany } from './planned-server.ts'
import type { PoolSession } from './pool-session.ts'

interface OpenSettings extends Omit<CopySettings, 'session' | 'secrets'> {
  /** Begins the session that owns the copies, unless there is one. */
  begin(): Promise<PoolSession>
}

/** Begins to make and lend copies of a server. Fails with USAGE for a server that cannot be copied. */
export async function openCopies(
  name: string,
  { begin, ...settings }: OpenSettings,
  order: FleetOrder,
  tools: Tools,
): Promise<Lendable> {
  const planned = await planServer(name, settings.parent, order, tools)
  await refuseTooMany(planned, settings.size, tools)
  const secrets = await readSecrets(planned, tools)
  return new CopyLending(planned, { ...settings, secrets, session: await begin() }, tools)
}

/** Reads them once: the container that has them may be replaced while its copies stay. */
async function readSecrets({ name, planned }: PlannedServer, tools: Tools): Promise<SecretValues> {
  const original = planned.observed.get(name)
  if (original === undefined) throw new Error(`${name} was not observed`)
  const { container, spec } = original
  if (spec.secrets.length === 0) return new Map()
  return openSecretReader(tools.runtime, tools.host, tools)({ server: name, container: container.id, spec })
}
