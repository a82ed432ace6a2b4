import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { onAbort } from '../../../model/on-abort.ts'
import type { CallOptions } from '../../engine.ts'
import type { BuildRequest } from '../../image-types.ts'
import { ARCHITECTURE } from '../archives/image-json.ts'
import { ByteReader } from '../files/byte-reader.ts'
import { closeAll, openTrusted } from '../files/descriptors.ts'
import { readTar } from '../files/tar-reader.ts'
import { Unpacker } from '../files/unpack.ts'
import { readInside } from '../files/users.ts'
import { type Tree, treeOf } from '../files/walk.ts'
import { recordPath } from '../images/find-image.ts'
import { nameImage } from '../images/references.ts'
import { makeFolder, readRecord, writeRecord } from '../store.ts'
import type { ImageConfig, ImageRecord, Local } from '../types.ts'
import { openWorkshop, readSize } from './layer.ts'
import { COUNTED, findStage, mistake, readDockerfile, type Stage } from './read-stages.ts'
import { buildStage, findBase, isImage, type PullBase } from './run-stage.ts'
import type { StageContext, StageState } from './stage-context.ts'

const LONGEST_DOCKERFILE = 1 << 20

/** Builds an image by carrying out its Dockerfile. BUILD_FAILED; the context's own error is what the call rejects with. */
export async function buildImage(
  local: Local,
  request: BuildRequest,
  pull: PullBase,
  options: CallOptions = {},
): Promise<void> {
  const { signal } = options
  request.context.on('error', () => {})
  signal?.throwIfAborted()
  const workshop = await openWorkshop(local)
  let context: Tree | undefined
  try {
    context = await unpackContext(local, join(workshop.folder, 'context'), request, signal)
    const folder = join(workshop.folder, 'context')
    const text = (await readInside(folder, request.dockerfile, LONGEST_DOCKERFILE))?.toString('utf8')
    if (text === undefined) throw mistake(undefined, `the context has no ${request.dockerfile}`)
    const state = await buildStages(request, text, { local, workshop, context, pull, options })
    const image = await keepImage(local, withLabels(state, request.labels))
    for (const tag of request.tags) await nameImage(local, tag, image.id)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error
  } finally {
    request.context.destroy()
    closeAll([context?.root])
    await workshop.close()
  }
}

async function unpackContext(
  local: Local,
  folder: string,
  { context }: BuildRequest,
  signal: AbortSignal | undefined,
): Promise<Tree> {
  await makeFolder(folder)
  const tree = treeOf(openTrusted(folder), [])
  const reader = new ByteReader(context)
  const unpacker = new Unpacker(tree, local.machine, '/')
  const stopListening = onAbort(signal, () => context.destroy(signal?.reason))
  try {
    if (context.errored) throw context.errored
    for await (const entry of readTar(reader)) await unpacker.add(entry)
    unpacker.finish()
    return tree
  } catch (error) {
    closeAll([tree.root])
    throw reader.failure === undefined ? error : reader.failure.error
  } finally {
    stopListening()
    unpacker.close()
    await reader.close()
  }
}

interface Building extends Pick<StageContext, 'local' | 'workshop' | 'context'> {
  readonly pull: PullBase
  readonly options: CallOptions
}

/** Builds the target and the stages that it needs; those that do not need each other at the same time. */
async function buildStages(request: BuildRequest, text: string, building: Building): Promise<StageState> {
  const { local, options } = building
  const args = request.args ?? {}
  const dockerfile = readDockerfile(text, { target: request.target, args })
  const needed = findNeeded(dockerfile.target, dockerfile.stages)
  const counts = needed.map((stage) => countSteps(stage))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const results = new Map<Stage, Promise<StageState>>()
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, ...(options.signal ? [options.signal] : [])])
  const bases = new Map<string, Promise<ImageRecord>>()
  const baseOf = (reference: string): Promise<ImageRecord> => {
    const found = bases.get(reference) ?? findBase(local, reference, building.pull, { signal })
    bases.set(reference, found)
    return found
  }
  const shared: StageContext = {
    ...{ ...building, args, globals: dockerfile.globals, signal },
    async layersOf(name) {
      const stage = findStage(name, dockerfile.stages)
      const state = stage && results.get(stage)
      return state === undefined ? (await baseOf(name)).layers : (await state).layers
    },
  }
  let before = 0
  for (const [index, stage] of needed.entries()) {
    const first = before
    before += counts[index] ?? 0
    const result = buildStage(stage, { ...shared, request, results, baseOf, first, total })
    result.catch((error: unknown) => abort.abort(error))
    results.set(stage, result)
  }
  const all = await Promise.allSettled(results.values())
  if (abort.signal.aborted) throw abort.signal.reason
  for (const one of all) if (one.status === 'rejected') throw one.reason
  const state = await results.get(dockerfile.target)
  if (state === undefined) throw mistake(undefined, 'the target was not built')
  return state
}

/** Its FROM counts when it is an image. */
function countSteps({ from, instructions }: Stage): number {
  return (isImage(from) ? 1 : 0) + instructions.filter(({ keyword }) => COUNTED.has(keyword)).length
}

/** The target and the earlier stages that it needs, in order. */
function findNeeded(target: Stage, stages: readonly Stage[]): readonly Stage[] {
  const needed = new Set<Stage>()
  const add = (stage: Stage): void => {
    if (needed.has(stage)) return
    needed.add(stage)
    if (typeof stage.from !== 'string') add(stage.from)
    for (const { rest } of stage.instructions) {
      for (const [, name = ''] of rest.matchAll(/(?:^|\s)--(?:from=|mount=(?:\S*,)?from=)([^\s,]+)/g)) {
        const other = findStage(name, stages.slice(0, stage.index))
        if (other !== undefined) add(other)
      }
    }
  }
  add(target)
  return [...needed].sort((one, other) => one.index - other.index)
}

function withLabels(state: StageState, labels: ImageConfig['labels']): StageState {
  return { ...state, config: { ...state.config, labels: { ...state.config.labels, ...labels } } }
}

/** Keeps what was built as an image. The same content gets the same id, and keeps its time. */
async function keepImage(local: Local, { layers, config }: StageState): Promise<ImageRecord> {
  const content = JSON.stringify([layers, config, ARCHITECTURE])
  const id = `sha256:${createHash('sha256').update(content).digest('hex')}`
  const known = await readRecord<ImageRecord>(recordPath(local, id))
  if (known !== undefined) return known
  const sizes = await Promise.all(layers.map((layer) => readSize(local, layer)))
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0)
  const image = { id, createdAtMs: Date.now(), layers, config, sizeBytes, architecture: ARCHITECTURE }
  await makeFolder(local.store.path('images'))
  await writeRecord(recordPath(local, id), image)
  return image
}
