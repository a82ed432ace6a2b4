import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { Engine } from '../engine/engine.ts'
import type { BuildRequest } from '../engine/image-types.ts'
import { packArchive } from '../files/archive.ts'
import { label } from '../model/labels.ts'
import type { OperationOf } from '../model/plan.ts'
import { buildImage } from './build-image.ts'
import { renderSteps } from './render-dockerfile.ts'

const at = ['servers', 'a', 'build']
const names = ['testfleet/f-a:1', 'testfleet/f-b:1']
const source = { locate: () => ({ file: 'f', line: 1, column: 1 }) } as never

function operationFor(run: readonly string[], hasCopy = true): OperationOf<'buildImage'> {
  const steps = { packages: ['tree'], environment: new Map<string, string>(), copy: [], run }
  const from = { title: 'from base:1', at }
  const entries = [{ kind: 'text', path: '.', mode: 0o644, text: 'x' }] as const
  const copy = { step: from, source: { kind: 'content' }, to: '/x', owner: undefined, modifiedAtS: undefined, entries }
  const recipe = { kind: 'steps', at, from: { kind: 'named', reference: 'base:1' }, steps, platform: undefined }
  const content = { kind: 'steps', base: 'base:1', from, ...renderSteps(steps, at), copies: hasCopy ? [copy] : [] }
  const build = { recipe, content, digest: '1', reference: names[0], leftOut: [] }
  return { kind: 'buildImage', build, references: names, servers: ['a', 'b'] } as unknown as OperationOf<'buildImage'>
}

/** Builds with an engine that does nothing. `versions` are those of `tree` that the image has, each time it is read. */
async function build(operation: OperationOf<'buildImage'>, versions: string[], present: readonly string[] = []) {
  const built: BuildRequest[] = []
  const removed: string[] = []
  let reads = 0
  const engine: Partial<Engine> = {
    hasCacheMounts: async () => false,
    inspectImage: async (reference) => (present.includes(reference) ? ({ id: reference } as never) : undefined),
    createContainer: async () => 'reader',
    removeContainer: async () => {},
    removeImage: async (reference) => void removed.push(reference),
    statPath: async (_, path) => (path === '/' ? { kind: 'folder' } : undefined),
    async getArchive(_, path) {
      const text = `Package: tree\nStatus: install ok installed\nVersion: ${versions[reads++]}\n`
      return buffer(packArchive([{ kind: 'text', path: path.slice(1), mode: 0o644, text }]))
    },
    async buildImage(request) {
      await buffer(Readable.from(request.context))
      built.push(request)
    },
  }
  const settings = { fleet: 'f', owner: 'o', change: 'c1', source, onEvent: () => {} }
  await buildImage(operation, engine as Engine, settings, {})
  const shown = built.map(({ tags, labels }) => ({
    tags,
    change: labels[label.change],
    packages: labels[label.packages],
  }))
  return { built: shown, removed, reads }
}

const packages = { tags: ['testfleet/f-a:1-c1-packages'], change: 'c1', packages: undefined }
const unfinished = { tags: ['testfleet/f-a:1-c1'], change: 'c1', packages: undefined }
const complete = (version: string) => ({ tags: names, change: '', packages: JSON.stringify({ tree: version }) })

test('versions are recorded before copies, without another build, and examined again after a script', async () => {
  expect(await build(operationFor([]), ['1'])).toEqual({
    built: [packages, complete('1')],
    removed: packages.tags,
    reads: 1,
  })
  expect(await build(operationFor(['mkdir /x']), ['1', '1'])).toEqual({
    built: [packages, complete('1')],
    removed: packages.tags,
    reads: 2,
  })
})

test('versions that a script changes are recorded', async () => {
  const { built } = await build(operationFor(['/copied/script']), ['1', '2'])
  expect(built).toEqual([packages, complete('1'), complete('2')])
  // The name of an image whose label may become wrong is not given before.
  for (const script of ['apt-get install tree=2', 'dpkg -i x', 'sh -c "/usr/bin/apt upgrade"']) {
    const late = await build(operationFor([script]), ['2'])
    expect(late.built).toEqual([packages, { ...unfinished, change: 'c1' }, complete('2')])
    expect(late.removed).toEqual([...packages.tags, ...unfinished.tags])
  }
  const plain = await build(operationFor([], false), ['1'])
  expect(plain.built).toEqual([unfinished, complete('1')])
})

test('an image that another call has built meanwhile keeps its names', async () => {
  const { built } = await build(operationFor([]), ['1'], names)
  expect(built).toEqual([packages])
})
