import type { ContainerDetails, ContainerSummary, MountedPath } from '../../../model/container.ts'
import type { Labels } from '../../../model/labels.ts'
import type { CallOptions } from '../../engine.ts'
import { findImage } from '../images/find-image.ts'
import { matchLabels } from '../match-labels.ts'
import { readAttachment } from '../networks/attach.ts'
import { findCgroups } from '../oci/cgroups.ts'
import { readCgroupFile } from '../oci/limits.ts'
import { givenVariables } from '../oci/words.ts'
import { listNames, readRecord } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { isOutOfMemory } from './event-log.ts'
import { findContainer, type Life, needContainer, notRunning, readLife, readSettledLife } from './life.ts'
import { failurePath } from './start.ts'

export async function listContainers(
  local: Local,
  labels: Labels,
  { signal }: CallOptions = {},
): Promise<readonly ContainerSummary[]> {
  signal?.throwIfAborted()
  const ids = await listNames(local.store.path('containers'))
  const found = await Promise.all(
    ids.map(async (id) => {
      const record = await findContainer(local, id)
      if (record === undefined || !matchLabels(record.labels, labels)) return undefined
      return summarize(local, record, await readLife(local, record))
    }),
  )
  // The newest first, as an engine lists them.
  return found.filter((one) => one !== undefined).toSorted((one, other) => other.createdAtMs - one.createdAtMs)
}

export async function listContainersPublishing(
  local: Local,
  hostPort: number,
  options?: CallOptions,
): Promise<readonly ContainerSummary[]> {
  const all = await listContainers(local, {}, options)
  return all.filter(({ published }) => published.some(({ port }) => port === hostPort))
}

export async function inspectContainer(
  local: Local,
  idOrName: string,
  { signal }: CallOptions = {},
): Promise<ContainerDetails> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  const { id, spec, imageId } = record
  const life = await readSettledLife(local, record, signal)
  const [summary, image, failure, hasNoMemory] = await Promise.all([
    summarize(local, record, life),
    findImage(local, imageId),
    readRecord<{ readonly error: string }>(failurePath(local, id)),
    isOutOfMemory(local, id),
  ])
  const { run, state, exitCode, endedAtMs, isRestarting } = life
  const details = {
    ...summary,
    user: spec.user ?? image?.config.user ?? '',
    environment: givenVariables(spec, image?.config ?? { environment: [] }),
    mounts: mountsOf(record),
    exitCode: isUp(life) && !isRestarting ? undefined : exitCode,
    isOutOfMemory: hasNoMemory,
    processId: isUp(life) && !isRestarting ? run?.process.pid : undefined,
    memoryBytes: spec.limits.memoryBytes,
    restarts: run?.restarts ?? 0,
    isRestarting,
    startedAtMs: run?.startedAtMs ?? 0,
    endedAtMs: Math.floor(endedAtMs),
    error: failure?.error ?? '',
    health: 'none' as const,
  }
  return { ...details, raw: describe(record, details, state) }
}

/** Memory of a container without its page cache. */
export async function readMemory(
  local: Local,
  idOrName: string,
  { signal }: CallOptions = {},
): Promise<number | undefined> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  if (!isUp(await readLife(local, record))) throw notRunning(record)
  const cgroups = await findCgroups()
  const isOne = cgroups.unified === undefined
  const read = (file: string) => readCgroupFile(cgroups, record.id, 'memory', file)
  const [usage, stats = ''] = await Promise.all([
    read(isOne ? 'memory.usage_in_bytes' : 'memory.current'),
    read('memory.stat'),
  ])
  if (usage === undefined) return undefined
  const [, cache = '0'] = (isOne ? /^total_inactive_file (\d+)$/m : /^inactive_file (\d+)$/m).exec(stats) ?? []
  return Math.max(0, Number(usage) - Number(cache))
}

const isUp = ({ state }: Life): boolean => state === 'running' || state === 'paused'

async function summarize(local: Local, record: ContainerRecord, life: Life): Promise<ContainerSummary> {
  const { id, name, imageId, spec, labels, createdAtMs } = record
  const attachment = await readAttachment(local, id)
  const isConnected = isUp(life) && !life.isRestarting
  const network =
    attachment === undefined
      ? { name: spec.network.name, networkId: '', ip: '', gateway: '' }
      : {
          ...{ name: attachment.networkName, networkId: attachment.networkId },
          ...(isConnected ? { ip: attachment.ip, gateway: attachment.gateway } : { ip: '', gateway: '' }),
        }
  return {
    ...{ id, name, imageId, image: spec.image, state: life.state, labels, createdAtMs },
    ...(life.isRestarting && { isRestarting: true }),
    networks: [network],
    published: isConnected ? (attachment?.published ?? []) : [],
  }
}

function mountsOf({ spec, ownVolumes }: ContainerRecord): readonly MountedPath[] {
  const given = spec.mounts.map(({ to, kind, writable }) => ({ to, kind, writable }))
  const named = new Set(spec.mounts.map(({ to }) => to))
  const ofImage = Object.keys(ownVolumes).filter((to) => !named.has(to))
  return [...given, ...ofImage.map((to) => ({ to, kind: 'ownVolume' as const, writable: true }))]
}

/** What the failure bundle shows to people, in the form that they know from Docker. */
function describe(record: ContainerRecord, details: Omit<ContainerDetails, 'raw'>, state: Life['state']): object {
  const { spec, id, name, imageId } = record
  const time = (ms: number): string => (ms === 0 ? '' : new Date(ms).toISOString())
  return {
    ...{ Id: id, Name: name, Image: imageId, Created: time(record.createdAtMs), RestartCount: details.restarts },
    State: {
      ...{ Status: details.isRestarting ? 'restarting' : state, Pid: details.processId ?? 0, Error: details.error },
      ...{ ExitCode: details.exitCode ?? 0, OOMKilled: details.isOutOfMemory },
      ...{ StartedAt: time(details.startedAtMs), FinishedAt: time(details.endedAtMs) },
    },
    Config: {
      ...{
        Image: spec.image,
        Hostname: spec.hostname,
        User: details.user,
        Labels: record.labels,
        Tty: spec.tty ?? false,
      },
      ...{ Cmd: spec.command, Entrypoint: spec.entrypoint, WorkingDir: spec.workingDir, StopSignal: spec.stopSignal },
      Env: Object.entries(details.environment).map(([key, value]) => `${key}=${value}`),
    },
    HostConfig: {
      ...{ Privileged: spec.privileged, CapAdd: spec.capAdd, CapDrop: spec.capDrop, ReadonlyRootfs: spec.readOnly },
      ...{ Init: spec.init, Limits: spec.limits, Sysctls: spec.sysctls, Ulimits: spec.ulimits, Tmpfs: spec.tmpfs },
      ...{ ExtraHosts: spec.extraHosts, Devices: spec.devices, Dns: spec.dns, NewPrivileges: spec.newPrivileges },
    },
    Mounts: spec.mounts,
    NetworkSettings: {
      Ports: details.published,
      Networks: Object.fromEntries(
        details.networks.map(({ name: network, networkId, ip, gateway }) => [
          network,
          { NetworkID: networkId, IPAddress: ip, Gateway: gateway, Aliases: spec.network.aliases },
        ]),
      ),
    },
  }
}
