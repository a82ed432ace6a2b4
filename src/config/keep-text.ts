import { type Document, isMap, isScalar, isSeq, type Node, type Pair, Scalar, visit } from 'yaml'
import { hookKinds } from '../model/hook.ts'
import { nodeOf, pairsOf } from './merge-keys.ts'

/** Keys of a server, of its hooks, of `base` and of a `build` with a block in which every value is text, whatever it looks like. */
export const textBlocks: readonly string[] = ['environment', 'execEnvironment', 'labels', 'sysctls', 'args']

/** In these blocks, `24.10` is a version and `0042` no number: what is written there stays as it is written. */
export function keepText(document: Document): void {
  const inside = (node: Node | undefined, key: string): Node | undefined => {
    const pair = isMap(node) ? pairsOf(document, node).get(key) : undefined
    return pair && nodeOf(document, pair.value)
  }
  const contents = nodeOf(document, document.contents)
  const servers = inside(contents, 'servers')
  const declared = isMap(servers)
    ? [...pairsOf(document, servers).values()].map(({ value }) => nodeOf(document, value))
    : []
  const owners = [...declared, inside(contents, 'base'), inside(contents, 'server')]
  const builds = owners.map((owner) => inside(owner, 'build'))
  const hooks = owners.flatMap((owner) =>
    [...hookKinds, 'reset'].flatMap((kind) => {
      const list = inside(owner, kind)
      return isSeq(list) ? list.items.map((item) => nodeOf(document, item)) : []
    }),
  )
  const recipes = owners.map((owner) => inside(owner, 'database'))
  const blocks = [...owners, ...builds, ...hooks, ...recipes].flatMap((owner) =>
    textBlocks.map((name) => inside(owner, name)),
  )
  // A user by number; a name can look like one.
  for (const owner of [...declared, ...hooks, ...recipes]) {
    const pair = isMap(owner) ? pairsOf(document, owner).get('user') : undefined
    if (pair !== undefined) keepTextOf(pair, document)
  }
  for (const block of blocks)
    if (isMap(block)) for (const pair of pairsOf(document, block).values()) keepTextOf(pair, document)
}

function keepTextOf(pair: Pair, document: Document): void {
  const scalar = nodeOf(document, pair.value)
  if (!isScalar(scalar) || scalar.source === undefined) return
  if (typeof scalar.value === 'string' || scalar.value === null || String(scalar.value) === scalar.source) return
  // Where an alias leads to it from elsewhere, it stays what it is.
  if (scalar === pair.value) scalar.value = scalar.source
  else pair.value = Object.assign(new Scalar(scalar.source), { range: scalar.range })
}

/** A key is a name, and stays as it is written: 1.10 and 007 are no numbers. */
export function keepKeys(document: Document): void {
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.source === undefined) return
      // A merge key is no text.
      if (typeof key.value !== 'string' && typeof key.value !== 'symbol') key.value = key.source
    },
  })
}
