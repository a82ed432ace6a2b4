import type { Engine, EngineLocation } from '../engine.ts'
import { containerVerbs } from './containers/container-verbs.ts'
import { mountStopped } from './containers/mount-stopped.ts'
import { imageVerbs } from './images/image-verbs.ts'
import { networkVerbs } from './networks/networks.ts'
import { chooseRuntime } from './oci/runtime.ts'
import { type Machine, rootMachine } from './programs.ts'
import { openStore } from './store.ts'
import type { Forwards, Local } from './types.ts'
import { connectUser } from './user/connect-user.ts'
import { currentUser } from './user/subordinate-ids.ts'
import { volumeVerbs } from './volumes.ts'

export interface LocalOptions {
  /** Absolute path of the folder with everything that the engine knows. Created when it is missing. */
  readonly folder: string
  /** Default: the programs run as this process does, which is then root. */
  readonly machine?: Machine
  readonly forwards?: Forwards
}

/**
 * Opens the local engine: containers without a container engine. Sends nothing and reads nothing yet. No process of its
 * own stays: each call works on the folder. Methods that clean-up does not need load their code on demand.
 */
export function connectLocal(location: EngineLocation, options: LocalOptions): Engine {
  const own = connectHere(location, options)
  const [userId] = currentUser()
  return userId === 0 ? own : connectUser(location, options.folder, own)
}

/** The engine of root, or of a user's namespaces. */
function connectHere(location: EngineLocation, { folder, machine = rootMachine, forwards }: LocalOptions): Engine {
  const store = openStore(folder)
  const local: Local = { store, machine, runtime: chooseRuntime, forwards }
  const files = async () => (await import('./files/file-verbs.ts')).fileVerbs(local, (it) => mountStopped(local, it))
  const system = async () => (await import('./system.ts')).systemVerbs(local)
  const engine: Engine = {
    location,
    ...containerVerbs(local),
    ...networkVerbs(local),
    ...volumeVerbs(local),
    ...imageVerbs(local),
    unpacksIntoMounts: async () => true,
    putArchive: async (id, folder, archive, call) => (await files()).putArchive(id, folder, archive, call),
    getArchive: async (id, path, maxBytes, call) => (await files()).getArchive(id, path, maxBytes, call),
    async *readArchive(id, path, call) {
      yield* (await files()).readArchive(id, path, call)
    },
    statPath: async (id, path, call) => (await files()).statPath(id, path, call),
    version: async (call) => (await system()).version(call),
    info: async (call) => (await system()).info(call),
    async *readLogs(id, request, call) {
      yield* (await import('./logs/read-logs.ts')).readLogs(local, id, request, call)
    },
    exec: async (id, request, call) => (await import('./exec/exec.ts')).exec(local, id, request, call),
    commitContainer: async (id, reference, call) =>
      (await import('./archives/commit.ts')).commitContainer(local, id, reference, call),
    pullImage: async (reference, request, call) =>
      (await import('./archives/pull.ts')).pullImage(local, reference, request, call),
    async *saveImages(references, call) {
      yield* (await import('./archives/save-images.ts')).saveImages(local, references, call)
    },
    loadImages: async (archive, call) => (await import('./archives/load-images.ts')).loadImages(local, archive, call),
    hasCacheMounts: async () => true,
    buildImage: async (request, call) => {
      const { buildImage } = await import('./build/build-image.ts')
      await buildImage(local, request, (reference, options) => engine.pullImage(reference, {}, options), call)
    },
    close() {},
  }
  return engine
}
