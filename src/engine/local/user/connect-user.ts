import { access, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine, EngineLocation } from '../../engine.ts'
import { openStore, type Store } from '../store.ts'
import { proxyEngine } from './engine-proxy.ts'
import type { Link } from './link.ts'
import type { PlainMethod, StreamMethod } from './methods.ts'
import { countSubordinateIds, currentUser } from './subordinate-ids.ts'

/**
 * What an ordinary user's call does by itself, because only records are read or written: so `ps`, `ls` and a sweep that finds
 * nothing need no other process.
 */
const ownMethods = [
  'version',
  'info',
  'listContainers',
  'listNetworks',
  'listVolumes',
  'createVolume',
  'inspectImage',
  'listImages',
  'createsBeforeNetwork',
  'unpacksIntoMounts',
  'hasCacheMounts',
] as const satisfies readonly (PlainMethod | StreamMethod)[]

/** Where the program is that serves the engine, seen from this file: in the source, and from the chunks of the bundles. */
const PLACES = ['./main.ts', '../local-engine/main.js', '../../local-engine/main.js', './local-engine/main.js']

/** Longest time until the program answers. */
const LONGEST_START_MS = 20_000

/** How often namespaces are joined that others end at the same moment. */
const MOST_TRIES = 5

/**
 * The local engine of an ordinary user. `own` is the engine without namespaces. All that needs namespaces is done by the same
 * engine in a process inside them, which the first such call starts.
 */
export function connectUser(location: EngineLocation, folder: string, own: Engine): Engine {
  const store = openStore(folder)
  let open: Promise<Link> | undefined
  let opened: Link | undefined
  const link = async (): Promise<Link> => {
    if (opened?.isAlive === false) open = undefined
    open ??= openInside(store, location)
    try {
      opened = await open
      return opened
    } catch (error) {
      open = undefined
      throw error
    }
  }
  return {
    ...proxyEngine(location, { link, close() {} }),
    ...Object.fromEntries(ownMethods.map((method) => [method, own[method]])),
    info: async (call) => ({ ...(await own.info(call)), isRootless: true }),
    close: () => void open?.then((one) => one.close()).catch(() => {}),
  }
}

async function openInside(store: Store, location: EngineLocation): Promise<Link> {
  const [{ joinNamespaces }, { startServer }, { openLink }] = await Promise.all([
    import('./namespaces.ts'),
    import('./start-server.ts'),
    import('./link.ts'),
  ])
  const { users, groups } = await countSubordinateIds(...currentUser())
  const words = [await readlink('/proc/self/exe'), await findMain(), store.folder, JSON.stringify(location)] as const
  for (let tries = 1; ; tries++) {
    const machine = await joinNamespaces(store, users > 0 && groups > 0)
    const link = openLink(startServer(machine, words, process.env))
    // A server that never gets ready is ended: its input is closed.
    const clock = setTimeout(() => link.close(), LONGEST_START_MS)
    try {
      await link.ready
      return link
    } catch (error) {
      if (tries === MOST_TRIES) throw error
    } finally {
      clearTimeout(clock)
    }
  }
}

async function findMain(): Promise<string> {
  for (const place of PLACES) {
    const file = join(import.meta.dirname, place)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  throw new Error('the program of the local engine is missing from this installation')
}
