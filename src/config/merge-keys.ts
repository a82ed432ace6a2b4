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

/** A node, or what an alias leads to. */
export function nodeOf(document: Document, value: unknown): Node | undefined {
  if (isAlias(value)) return value.resolve(document)
  return isNode(value) ? value : undefined
}

const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>()

/** The pairs of a map by their keys, with those that merge keys (`<<: *name`) bring: its own go first, then the earlier. */
export function pairsOf(document: Document, map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairsByMap.get(map)
  if (known !== undefined) return known
  const pairs = new Map<string, Pair>()
  // Against a map that merges itself.
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

/** Whether this is a merge key with something that cannot be merged. */
export function isBadMerge(document: Document, pair: Pair): boolean {
  return isMergeKey(pair.key) && !mergedBy(document, pair).every(isMap)
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && (typeof key.value === 'symbol' || (key.value === '<<' && key.type === 'PLAIN'))
}

/** More values than any fleet has, after aliases and merge keys are followed. */
const MOST_VALUES = 100_000

/** Whether a file becomes so large that it fills the memory: each merge key copies what it leads to. */
export function unfoldsTooMuch(document: Document): boolean {
  const counts = new Map<Node, number>()
  const count = (value: unknown): number => {
    if (isPair(value)) return count(value.value)
    const node = nodeOf(document, value)
    if (node === undefined || !isCollection(node)) return 1
    const known = counts.get(node)
    if (known !== undefined) return known
    // One that holds itself has no end.
    counts.set(node, Number.POSITIVE_INFINITY)
    let total = 1
    for (const item of node.items) total += count(item)
    counts.set(node, total)
    return total
  }
  return count(document.contents) > MOST_VALUES
}
