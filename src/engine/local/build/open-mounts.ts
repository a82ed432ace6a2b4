import { posix } from 'node:path'
import { closeAll, openTrusted, toBytes, toText } from '../files/descriptors.ts'
import { type Tree, treeOf } from '../files/walk.ts'
import { unmountRoot } from '../images/mount-root.ts'
import { bindMount, type OciMount, tmpfsMount } from '../oci/mounts.ts'
import { digestSources, findSources } from './copy-step.ts'
import { openRoot } from './layer.ts'
import { cacheFolder, type StepMount, sourceOf, targetOf } from './run-step.ts'
import type { StageContext, StageState } from './stage-context.ts'

export interface OpenedMounts {
  readonly mounts: readonly OciMount[]
  /** What the result of the step depends on. */
  readonly digests: readonly string[]
  close(): Promise<void>
}

/** Opens what a RUN mounts. */
export async function openMounts(
  mounts: readonly StepMount[],
  { config }: StageState,
  build: StageContext,
  line: number,
): Promise<OpenedMounts> {
  const closers: (() => Promise<void>)[] = []
  const opened: OciMount[] = []
  const digests: string[] = []
  for (const mount of mounts) {
    const target = posix.resolve(config.workingDir ?? '/', targetOf(mount))
    const isReadOnly = ['readonly', 'ro'].some((name) => mount.options.has(name) && mount.options.get(name) !== 'false')
    digests.push(JSON.stringify([mount.type, target, [...mount.options]]))
    if (mount.type === 'tmpfs')
      opened.push(
        tmpfsMount({ to: target, exec: true, sizeBytes: undefined, mode: undefined, uid: undefined, gid: undefined }),
      )
    else if (mount.type === 'cache') opened.push(bindMount(await cacheFolder(build.local, mount), target, !isReadOnly))
    else {
      const from = await openFrom(mount.options.get('from'), build, line)
      closers.push(from.close)
      const [source] = findSources(from.tree, [sourceOf(mount) || '/'])
      if (source === undefined) continue
      digests.push(await digestSources(from.tree, [source]))
      opened.push(bindMount(toText(from.folder + source.path), target, false))
    }
  }
  const close = async (): Promise<void> => {
    for (const one of closers) await one()
  }
  return { mounts: opened, digests, close }
}

export interface OpenedFrom {
  readonly tree: Tree
  /** Path of its root on this machine, as bytes. */
  readonly folder: string
  close(): Promise<void>
}

/** Opens the files of the context, of another stage, or of an image. */
export async function openFrom(name: string | undefined, build: StageContext, line: number): Promise<OpenedFrom> {
  const { local, workshop, context, signal } = build
  if (name === undefined)
    return { tree: context, folder: toBytes(posix.join(workshop.folder, 'context')), close: async () => {} }
  const layers = await build.layersOf(name, line)
  const mounted = await openRoot(local, workshop, layers, signal)
  const root = openTrusted(mounted.root)
  return {
    tree: treeOf(root, []),
    folder: toBytes(mounted.root),
    async close() {
      closeAll([root])
      await unmountRoot(local, mounted.folder)
    },
  }
}
