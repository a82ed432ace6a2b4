import type { Engine } from '../../engine.ts'

/** Methods with plain arguments and one answer, and how many arguments they have before the options. */
export const plainMethods = {
  version: 0,
  info: 0,
  listContainers: 1,
  listContainersPublishing: 1,
  inspectContainer: 1,
  createsBeforeNetwork: 0,
  createContainer: 1,
  copyContainer: 2,
  startContainer: 1,
  stopContainer: 2,
  killContainer: 2,
  pauseContainer: 1,
  unpauseContainer: 1,
  readMemory: 1,
  renameContainer: 2,
  removeContainer: 1,
  commitContainer: 2,
  waitContainer: 1,
  unpacksIntoMounts: 0,
  statPath: 2,
  listNetworks: 1,
  createNetwork: 2,
  removeNetwork: 1,
  listVolumes: 1,
  createVolume: 2,
  removeVolume: 1,
  inspectImage: 1,
  listImages: 1,
  hasCacheMounts: 0,
  removeImage: 1,
  readEvents: 2,
} as const satisfies Partial<Record<keyof Engine, number>>

/** Methods whose answer is a stream. `getArchive` is one, too: its answer may be longer than a message. */
export const streamMethods = {
  readLogs: 2,
  readArchive: 2,
  getArchive: 3,
  saveImages: 1,
  followEvents: 2,
} as const satisfies Partial<Record<keyof Engine, number>>

export type PlainMethod = keyof typeof plainMethods
export type StreamMethod = keyof typeof streamMethods
