import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml'

/** Resolves an alias to the node that it leads to. */
export function nodeOf(document: Document, value: unknown): Node | undefined {
  if (isAlias(value)) return value.resolve(document)
  return isNode(value) ? value : undefined
}

const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>()

/** Returns the pairs of a map by key, merge keys (`<<: *name`) included. Its own pairs win, then earlier ones. */
export function pairsOf(document: Document, map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairsByMap.get(map)
  if (known !== undefined) return known
  const pairs = new Map<string, Pair>()
  // Guards against a map that merges itself.
  pairsByMap.set(map, pairs)
  for (const pair of map.items) if (isScalar(pair.key) && !isMergeKey(pair.key)) pairs.set(String(pair.key.value), pair)
  for (const source of sourcesOf(document, map))
    if (isMap(source)) for (const [key, pair] of pairsOf(document, source)) if (!pairs.has(key)) pairs.set(key, pair)
  return pairs
}

function sourcesOf(document: Document, map: YAMLMap): (Node | undefined)[] {
  return map.items.filter(({ key }) => isMergeKey(key)).flatMap((pair) => mergedBy(document, pair))
}

function mergedBy(document: Document, { value }: Pair): (Node | undefined)[] {
  const node = nodeOf(document, value)
  return isSeq(node) ? node.items.map((item) => nodeOf(document, item)) : [node]
}

/** Returns whether this is a merge key with a value that cannot be merged. */
export function isBadMerge(document: Document, pair: Pair): boolean {
  return isMergeKey(pair.key) && !mergedBy(document, pair).every(isMap)
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && (typeof key.value === 'symbol' || (key.value === '<<' && key.type === 'PLAIN'))
}

/** More values than any fleet has, counted with aliases and merge keys followed. */
const MOST_VALUES = 100_000

/** Returns whether a file would fill the memory: each merge key copies what it leads to. */
export function unfoldsTooMuch(document: Document): boolean {
  const counts = new Map<Node, number>()
  const count = (value: unknown): number => {
    if (isPair(value)) return count(value.value)
    const node = nodeOf(document, value)
    if (node === undefined || !isCollection(node)) return 1
    const known = counts.get(node)
    if (known !== undefined) return known
    // A map that contains itself never ends.
    counts.set(node, Number.POSITIVE_INFINITY)
    let total = 1
    for (const item of node.items) total += count(item)
    counts.set(node, total)
    return total
  }
  return count(document.contents) > MOST_VALUES
}
