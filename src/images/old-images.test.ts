import { describe, expect, test } from 'vitest'
import type { Engine } from '../engine/engine.ts'
import { readKeptImages } from './kept-images.ts'
import { findOldImages, type OldImagesRequest, removeOldImages, tidyAfterBuild } from './old-images.ts'

interface Image {
  readonly reference: string
  readonly fleet: string
  /** Minutes ago. */
  readonly age: number
  readonly isUsed?: boolean
}

const digest = (number: number): string => number.toString(16).padStart(16, '0')
const image = (fleet: string, server: string, age: number, isUsed = false): Image => ({
  reference: `testfleet/${fleet}${server && '-'}${server}:${digest(age)}`,
  fleet,
  age,
  isUsed,
})

/** An engine with these images. One of them cannot be removed, because a container uses it. */
function engineWith(images: readonly Image[]): { engine: Engine; removed: string[] } {
  const removed: string[] = []
  const find = (reference: string): Image | undefined => images.find((one) => one.reference === reference)
  const engine = {
    listImages: async (labels: Record<string, string>) =>
      images
        .filter(({ fleet }) => ['', fleet].includes(labels['dev.testfleet.fleet'] ?? '-'))
        .map(({ reference, fleet }) => ({
          id: `id of ${reference}`,
          references: [reference],
          labels: { 'dev.testfleet.fleet': fleet },
        })),
    listContainers: async () =>
      images.filter(({ isUsed }) => isUsed).map(({ reference }) => ({ imageId: `id of ${reference}` })),
    inspectImage: async (reference: string) => ({ namedAtMs: Date.now() - (find(reference)?.age ?? 0) * 60_000 }),
    removeImage: async (reference: string) => {
      if (find(reference)?.age === 13) throw new Error('it is in use')
      removed.push(reference)
    },
  } as unknown as Engine
  return { engine, removed }
}

async function findOld(images: readonly Image[], request: Partial<OldImagesRequest> = {}): Promise<readonly string[]> {
  const { engine } = engineWith(images)
  const old = await findOldImages({ fleet: 'shop', keep: 2, ...request }, engine, {})
  return old.map((reference) => reference.replace('testfleet/', '').replace(/0{10,}/, ''))
}

const web = [3, 1, 4, 2].map((age) => image('shop', 'web', age))

describe('the old images', () => {
  test('are those of a server beyond its newest ones', async () => {
    expect(await findOld(web)).toEqual(['shop-web:3', 'shop-web:4'])
    expect(await findOld(web, { keep: 4 })).toEqual([])
    expect(await findOld(web, { keep: 0 })).toHaveLength(4)
  })

  test('are counted by server and by fleet', async () => {
    const others = [image('shop', 'db', 9), image('shop', 'db', 8), image('other', 'web', 7), image('shop', '', 6)]
    expect(await findOld([...web, ...others])).toEqual(['shop-web:3', 'shop-web:4'])
    expect(
      await findOld([...web, image('shop', 'db', 9)], { keep: 0, built: [`testfleet/shop-db:${digest(1)}`] }),
    ).toEqual(['shop-db:9'])
    const all = await findOld([...web, image('my-shop', '', 9), image('my', 'shop', 8)], { fleet: undefined, keep: 1 })
    expect(all).toEqual(['shop-web:2', 'shop-web:3', 'shop-web:4'])
  })

  test('are removed before the bases that they are built on, and baked ones first of all', async () => {
    const bases = [1, 2, 3].map((age) => image('shop', '', age))
    expect(await findOld([...bases, ...web])).toEqual(['shop-web:3', 'shop-web:4', 'shop:3'])
    const baked = [1, 2, 3].map((age) => image('shop', 'web/baked', age))
    expect(await findOld([...bases, ...web, ...baked])).toEqual([
      'shop-web/baked:3',
      'shop-web:3',
      'shop-web:4',
      'shop:3',
    ])
  })

  test('exclude images that a container uses, that the call needs, or that are too new', async () => {
    const used = web.map((one) => ({ ...one, isUsed: one.age === 4 }))
    expect(await findOld(used)).toEqual(['shop-web:3'])
    expect(await findOld(web, { spared: new Set([`testfleet/shop-web:${digest(3)}`]) })).toEqual(['shop-web:4'])
    expect(await findOld(web, { olderThanMs: 3.5 * 60_000 })).toEqual(['shop-web:4'])
  })

  test('exclude images whose names testfleet does not give to finished images', async () => {
    const strange = ['testfleet/shop-web:latest', `x/shop-web:${digest(8)}`, `testfleet/shop-web:${digest(9)}-1f2e`]
    const all = [...web, ...strange.map((reference) => ({ reference, fleet: 'shop', age: 99 }))]
    expect(await findOld(all)).toEqual(['shop-web:3', 'shop-web:4'])
  })
})

test('an old image that cannot be removed stays, and the others are removed', async () => {
  const { engine, removed } = engineWith([13, 14, 15].map((age) => image('shop', 'web', age)))
  const references = [13, 14].map((age) => `testfleet/shop-web:${digest(age)}`)
  const told: unknown[] = []
  expect(await removeOldImages(references, engine, (event) => told.push(event), {})).toEqual(references.slice(1))
  expect(removed).toEqual(references.slice(1))
  expect(told).toEqual(removed.map((reference) => ({ kind: 'imageRemoved', reference })))
})

describe('after a build', () => {
  const many = [1, 2, 3, 4, 5, 6, 7, 8].map((age) => image('shop', 'web', age))
  const tidy = async (environment: Record<string, string>, isBusy: boolean, images = many): Promise<number> => {
    const { engine, removed } = engineWith(images)
    const about = { fleet: 'shop', built: [many[0]?.reference ?? ''], spared: new Set<string>(), environment }
    const request = { ...about, onEvent() {} }
    await tidyAfterBuild({ ...request, isBusy: async () => isBusy }, engine, {})
    return removed.length
  }

  test('five images of a server stay, or the number of TESTFLEET_KEEP_IMAGES', async () => {
    expect(await tidy({}, false)).toBe(3)
    expect(await tidy({ TESTFLEET_KEEP_IMAGES: '2' }, false)).toBe(6)
    expect(await tidy({ TESTFLEET_KEEP_IMAGES: 'all' }, false)).toBe(0)
  })

  test('all images stay while another call starts servers of the fleet', async () => {
    expect(await tidy({}, true)).toBe(0)
  })

  test('a failure of the engine does not fail the build', async () => {
    const engine = { listImages: () => Promise.reject(new Error('gone')) } as unknown as Engine
    const about = { fleet: 'shop', built: [], spared: new Set<string>(), environment: {} }
    const request = { ...about, isBusy: async () => false, onEvent() {} }
    await expect(tidyAfterBuild(request, engine, {})).resolves.toBeUndefined()
  })
})

test.each(['0', '-1', '1.5', 'none', ' 3', '1e3', '99999999'])('TESTFLEET_KEEP_IMAGES=%j is refused', (text) => {
  expect(() => readKeptImages({ TESTFLEET_KEEP_IMAGES: text })).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(JSON.stringify(text)) }),
  )
})
