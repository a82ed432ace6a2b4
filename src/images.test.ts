import { expect, test } from 'vitest'
import { removeImages } from './images.ts'
import { label } from './model/labels.ts'
import type { Tools } from './tools.ts'

test('rmi leaves the snapshots of a running session alone, also those that have lost their name', async () => {
  const removed: string[] = []
  const image = (id: string, references: readonly string[], snapshot?: string) => {
    const labels = { [label.fleet]: 'shop', ...(snapshot !== undefined && { [label.snapshot]: snapshot }) }
    return { id, references, labels, createdAtMs: 0 }
  }
  const engine = {
    listImages: async () => [
      image('a', ['testfleet/shop-web:0123456789abcdef']),
      image('b', ['testfleet/snapshot-1a2b3c4d-web:seeded-5e6f7a8b'], 'seeded'),
      image('c', [], 'older'),
      image('d', [], ''),
    ],
    removeImage: async (reference: string) => void removed.push(reference),
  }
  const tools = { engine, onEvent() {}, signal: new AbortController().signal } as unknown as Tools
  await removeImages('shop', [], ['web'], tools)
  expect(removed).toEqual(['d', 'testfleet/shop-web:0123456789abcdef'])
})
