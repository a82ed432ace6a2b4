import { arch } from 'node:os'
import type { ImageConfig, ImageRecord } from '../types.ts'

type Maybe<T> = T | null | undefined

/** The configuration of an image in an archive, as Docker and OCI write it. */
export interface ImageJson {
  readonly created?: Maybe<string>
  readonly architecture?: Maybe<string>
  readonly os?: Maybe<string>
  readonly config?: Maybe<ContainerConfigJson>
  readonly rootfs?: Maybe<{ readonly type?: string; readonly diff_ids?: Maybe<readonly string[]> }>
  readonly history?: Maybe<readonly object[]>
}

interface ContainerConfigJson {
  readonly User?: Maybe<string>
  readonly Env?: Maybe<readonly string[]>
  readonly Cmd?: Maybe<readonly string[]>
  readonly Entrypoint?: Maybe<readonly string[]>
  readonly WorkingDir?: Maybe<string>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
  readonly Volumes?: Maybe<Readonly<Record<string, object>>>
  readonly ExposedPorts?: Maybe<Readonly<Record<string, object>>>
  readonly StopSignal?: Maybe<string>
  readonly Shell?: Maybe<readonly string[]>
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** The architecture of this machine in the words of images. */
export const ARCHITECTURE: string = architectures[arch()] ?? arch()

export function readConfig({ config }: ImageJson): ImageConfig {
  const given = config ?? {}
  return {
    environment: given.Env ?? [],
    labels: given.Labels ?? {},
    volumes: Object.keys(given.Volumes ?? {}),
    exposed: Object.keys(given.ExposedPorts ?? {}),
    ...(given.User && { user: given.User }),
    ...(given.Cmd && { command: given.Cmd }),
    ...(given.Entrypoint && { entrypoint: given.Entrypoint }),
    ...(given.WorkingDir && { workingDir: given.WorkingDir }),
    ...(given.StopSignal && { stopSignal: given.StopSignal }),
    ...(given.Shell && { shell: given.Shell }),
  }
}

/** Returns the configuration for an archive. `diffs` are the digests of its layers as tar archives. */
export function writeConfig({ config, createdAtMs, architecture }: ImageRecord, diffs: readonly string[]): ImageJson {
  const created = new Date(createdAtMs).toISOString()
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]))
  return {
    ...{ created, architecture, os: 'linux' },
    config: {
      ...{ Env: config.environment, Labels: config.labels },
      ...(config.user !== undefined && { User: config.user }),
      ...(config.command !== undefined && { Cmd: config.command }),
      ...(config.entrypoint !== undefined && { Entrypoint: config.entrypoint }),
      ...(config.workingDir !== undefined && { WorkingDir: config.workingDir }),
      ...(config.volumes.length > 0 && { Volumes: named(config.volumes) }),
      ...(config.exposed.length > 0 && { ExposedPorts: named(config.exposed) }),
      ...(config.stopSignal !== undefined && { StopSignal: config.stopSignal }),
      ...(config.shell !== undefined && { Shell: config.shell }),
    },
    rootfs: { type: 'layers', diff_ids: diffs.map((digits) => `sha256:${digits}`) },
    history: diffs.map(() => ({ created, created_by: 'testfleet' })),
  }
}
