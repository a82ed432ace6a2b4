import { readSecrets, type SecretValues } from '../containers/secrets.ts'
import { findAddresses } from '../endpoints/addresses.ts'
import type { Engine } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import type { Server } from '../model/fleet.ts'
import type { RunningSpec } from '../model/running.ts'
import type { CheckSubject } from '../ready/run-check.ts'

/** A container as its ready checks see it. `rights` are known of a server whose fleet file was read. */
export function describeSubject(
  server: string,
  container: ContainerSummary,
  spec: Pick<RunningSpec, 'hostname' | 'ports'>,
  engine: Engine,
  rights?: Server,
): CheckSubject {
  let secrets: Promise<SecretValues> | undefined
  return {
    server,
    hostname: spec.hostname,
    containerId: container.id,
    engine,
    reach: findAddresses(container, spec.ports, engine.location.remoteHost),
    ...(rights === undefined ? {} : { rights }),
    async readSecret(name) {
      // The container has them from before its start to its end.
      secrets ??= readSecrets(engine, container.id, {})
      return (await secrets).get(name) ?? ''
    },
  }
}
