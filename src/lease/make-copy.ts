import type { ContainerDetails } from '../model/container.ts'
import { referenceOf } from '../model/desired-image.ts'
import type { Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { ServerRecord } from '../model/session.ts'
import { awaitReady } from '../report/report.ts'
import { resourceLabels, volumeName } from '../servers/describe-server.ts'
import { digestSecrets, type SecretValues, sealSecrets } from '../servers/secrets.ts'
import { createServer, deliverFiles, type StartRequest, startServer } from '../servers/start-server.ts'
import { removeResources } from '../sessions/end.ts'
import { killServers } from '../sessions/free-networks.ts'
import type { Tools } from '../tools.ts'
import { makeCertificates } from '../up/prepare-start.ts'
import type { PlannedServer } from './planned-server.ts'
import type { PoolSession } from './pool-session.ts'

/** A copy of a server: a separate container from the same image. */
export interface Copy {
  /** `<server>-<number>` */
  readonly name: string
  /** Id under which everything of it can be removed. */
  readonly change: string
  readonly record: ServerRecord
  readonly secrets: SecretValues
  /** Its container, as it was once it had started. */
  readonly details: ContainerDetails
}

export interface CopyOrder {
  readonly number: number
  /** Id under which everything of it can be removed. */
  readonly change: string
  readonly session: PoolSession
  readonly secrets: SecretValues
}

/** Returns the name of a copy. */
export function nameCopy(server: string, number: number): string {
  return `${server}-${number}`
}

/**
 * Makes a copy and waits until it is ready and its `postStart` commands have run. When that fails, `removeCopy` removes what
 * was made.
 */
export async function makeCopy(
  { name, fleet, planned }: PlannedServer,
  { number, change, session, secrets }: CopyOrder,
  tools: Tools,
): Promise<Copy> {
  const { runtime, signal, host } = tools
  const { runHooks } = await import('../up/run-hooks.ts')
  const desired = planned.desired.servers.get(name)
  if (desired === undefined) throw new Error(`${name} was not planned`)
  const server = renameServer(desired.server, number)
  const settings = { ...planned.settings, session: session.name, sessionId: session.id, change }
  const volumes = new Map(server.mounts.flatMap((mount) => (mount.kind === 'volume' ? [[mount.volume, '']] : [])))
  for (const volume of volumes.keys()) volumes.set(volume, `${session.name}-${volume}-${change}-${session.id}`)
  const request: StartRequest = {
    server,
    fleet,
    image: referenceOf(desired.image),
    digest: desired.digest,
    settings: { ...settings, volumes },
    secrets,
    keptPorts: new Map(),
    certificates: (await makeCertificates([server], planned)).get(server.name),
    runtime,
    nameSession: async () => undefined,
  }
  const labels = resourceLabels(fleet.name, settings)
  for (const volume of volumes.keys())
    await runtime.createVolume(volumeName(volume, request.settings), { ...labels, [label.volume]: volume })
  if (server.preStart.length > 0) await runHooks('preStart', request, '', tools, signal)
  const container = await createServer(request, { signal })
  await deliverFiles(container, request, { signal })
  await startServer(container, request, { signal })
  const spec = { ...desired.spec, hostname: server.hostname, aliases: [], dependsOn: [] }
  const sealed = await sealSecrets(secrets, container, host)
  const record = { ...spec, container, secretDigest: digestSecrets(secrets), sealed }
  const details = await runtime.inspectServer(container, { signal })
  const copy = { name: server.name, change, record, secrets, details }
  await awaitCopy(copy, tools, server)
  if (server.postStart.length > 0) await runHooks('postStart', request, container, tools, signal)
  return copy
}

/** A copy has other names than its server, so that they can share a network. */
function renameServer(server: Server, number: number): Server {
  const name = nameCopy(server.name, number)
  const domain = server.hostname.slice(server.name.length + 1)
  return { ...server, name, hostname: `${name}.${domain}`, aliases: [], dependsOn: [] }
}

/** Waits until a copy answers its ready checks. */
export async function awaitCopy(
  { name, record, secrets, details }: Copy,
  tools: Tools,
  rights?: Server,
): Promise<void> {
  const toAwait = { server: name, container: details.id, spec: record, ...(rights && { rights }) }
  await awaitReady(toAwait, details, tools, tools.signal, { readSecrets: async () => secrets })
}

/** Removes a copy at once: nothing in it is of use to anyone. */
export async function removeCopy({ change }: Pick<Copy, 'change'>, session: PoolSession, tools: Tools): Promise<void> {
  const labels = { [label.session]: session.id, [label.change]: change }
  await killServers(labels, tools)
  await removeResources(labels, { ...tools, onEvent() {} }, { recheckMs: 0 })
}
