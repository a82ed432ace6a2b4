import { Readable } from 'node:stream'
import { TLS_FOLDER } from '../model/certificate.ts'
import type { ContainerSummary } from '../model/container.ts'
import { SECRETS_FOLDER } from '../model/fleet.ts'
import { formatPreStop, readPreStop } from '../model/hook.ts'
import { label } from '../model/labels.ts'
import type { ServerRecord } from '../model/session.ts'
import { awaitReady, type ObservedServer } from '../report/report.ts'
import { tellChecks } from '../report/tell-checks.ts'
import { openSecretReader, type SecretValues, sealSecrets } from '../servers/secrets.ts'
import type { Claim } from '../sessions/claim.ts'
import type { Tools } from '../tools.ts'

export interface Replacement {
  readonly claim: Claim
  readonly old: ObservedServer
  readonly image: string
  readonly finish: ((server: ObservedServer) => Promise<void>) | undefined
}

/**
 * Starts a container of an image in place of another one, which it stops, and waits until it is ready. Returns its
 * record.
 */
export async function startReplacement(
  { claim, old, image, finish }: Replacement,
  tools: Tools,
): Promise<ServerRecord> {
  const { runtime, host, signal, onEvent } = tools
  const { name, container, spec } = old
  const holder = { server: name, container: container.id, spec }
  const secrets: SecretValues =
    spec.secrets.length === 0 ? new Map() : await openSecretReader(runtime, host, { signal })(holder)
  const id = await createReplacement({ claim, old, image }, tools)
  await deliverAgain(container.id, id, tools)
  await runtime.stopServer(container, { signal, graceMs: 0 })
  const beganAt = performance.now()
  onEvent({ kind: 'starting', server: name })
  await runtime.startServer(id, { signal })
  onEvent({ kind: 'started', server: name })
  const sealed = await sealSecrets(secrets, id, host)
  // Everything else stays as it was, also the digest of its secrets: its copies need not be made again.
  const record = { ...claim.record.servers[name], ...spec, sealed, container: id, isStopped: undefined }
  const started = { name, container: await runtime.inspectServer(id, { signal }), spec: record }
  const subject = { server: name, container: id, spec: record }
  const isCompleted = await awaitReady(subject, started.container, tools, signal, tellChecks(name, onEvent))
  await finish?.(started)
  onEvent({ kind: 'ready', server: name, elapsedMs: performance.now() - beganAt, isKept: false, isCompleted })
  return record
}

async function createReplacement({ claim, old, image }: Omit<Replacement, 'finish'>, tools: Tools): Promise<string> {
  const { container } = old
  const { [label.change]: change = '' } = container.labels
  const preStop = readPreStop(container.labels)
  const labels = {
    [label.change]: claim.id,
    [label.pristine]: await findPristine(container, tools),
    // A container has the labels of its image.
    [label.snapshot]: '',
    ...(preStop.length > 0 && { [label.preStop]: formatPreStop(preStop, claim.id) }),
  }
  const name = `${container.name.slice(0, -change.length)}${claim.id}`
  const id = await tools.runtime.copyServer(
    container.id,
    { name, image, labels, published: container.published },
    { signal: tools.signal },
  )
  tools.onEvent({ kind: 'created', server: old.name, container: id })
  return id
}

/** Returns the image that a server was started from at first: by its name, as long as the name means that image. */
export async function findPristine({ labels, image, imageId }: ContainerSummary, { engine, signal }: Tools) {
  const known = labels[label.pristine] ?? ''
  if (known !== '') return known
  return (await engine.inspectImage(image, { signal }))?.id === imageId ? image : imageId
}

/** Copies secrets, key and certificates, which are in volumes of their own, from one container to another. */
async function deliverAgain(from: string, to: string, { runtime, signal }: Tools): Promise<void> {
  const { mounts } = await runtime.inspectServer(from, { signal })
  const folders = [SECRETS_FOLDER, TLS_FOLDER].filter((folder) => mounts.some((mount) => mount.to === folder))
  for (const folder of folders) {
    const archive = Readable.from(runtime.readArchive(from, `${folder}/.`, { signal }))
    await runtime.deliver(to, folder, archive, { signal })
  }
}
