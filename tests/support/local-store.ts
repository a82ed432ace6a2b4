import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { currentHost } from '../../src/current-host.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { findLoss, findRights } from '../../src/engine/local/rights.ts'
import { openEngine } from '../../src/engine/open-engine.ts'

/** A folder of the local engine that nothing else uses. */
export interface LocalStore {
  /** As TESTFLEET_ENGINE takes it. */
  readonly url: string
  readonly folder: string
  open(): Promise<Engine>
  /** Removes everything in it first. */
  remove(): Promise<void>
}

const baseImage = 'debian:bookworm-slim'

/** Why there can be none here; undefined when there can. */
export async function whyNoLocalEngine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can look at everything that it leaves'
  const loss = findLoss(await findRights(currentHost(), tmpdir()), 'engine')
  return loss && `${loss.problem} ${loss.advice}`
}

/** Makes a store that has the base image, which is copied from the container engine of this machine. */
export async function makeLocalStore(): Promise<LocalStore> {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-store-'))
  const url = `local:${folder}`
  const open = (): Promise<Engine> => openEngine(url, currentHost())
  const remove = async (): Promise<void> => {
    const engine = await open()
    try {
      await removeAll(engine)
    } finally {
      engine.close()
    }
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await copyImage(baseImage, await open())
  } catch (error) {
    await remove().catch(() => {})
    throw error
  }
  return { url, folder, open, remove }
}

async function copyImage(reference: string, to: Engine): Promise<void> {
  const host = currentHost()
  const from = await openEngine(undefined, {
    ...host,
    environment: { ...host.environment, TESTFLEET_ENGINE: undefined },
  })
  try {
    await to.loadImages(Readable.from(from.saveImages([reference])))
  } finally {
    from.close()
    to.close()
  }
}

async function removeAll(engine: Engine): Promise<void> {
  for (const { id } of await engine.listContainers({})) await engine.removeContainer(id)
  for (const { id } of await engine.listNetworks({})) await engine.removeNetwork(id)
  for (const { name } of await engine.listVolumes({})) await engine.removeVolume(name)
}
