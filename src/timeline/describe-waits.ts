import type { NotedOperation, Notes } from './notes.ts'
import type { Range, Span } from './timeline-model.ts'
import { wordOperation } from './word-operation.ts'
import { formatMs } from './word-time.ts'

/** Shorter waits are not shown. */
const LEAST_WAIT_MS = 2

interface Context {
  readonly notes: Notes
  readonly totalMs: number
}

/** Finds the times in which nothing happened to a server, and says what it waited for. */
export function describeWaits(server: string, own: readonly NotedOperation[], context: Context): Span[] {
  const range = findPlanRange(context)
  if (range === undefined) return []
  const byId = new Map(context.notes.operations.map((one) => [one.id, one]))
  const begun = own.filter(({ fromMs }) => fromMs !== undefined).sort((a, b) => (a.fromMs ?? 0) - (b.fromMs ?? 0))
  const next = own.find(({ fromMs }) => fromMs === undefined)
  const ends = [...begun, ...(next === undefined ? [] : [next])]
  const waits: Span[] = []
  let lastMs = range.fromMs
  for (const operation of ends) {
    const toMs = operation.fromMs ?? range.toMs
    if (toMs - lastMs >= LEAST_WAIT_MS) {
      const id = `wait ${server} ${waits.length}`
      waits.push(describeWait(id, operation, { fromMs: lastMs, toMs }, byId))
    }
    lastMs = Math.max(lastMs, operation.toMs ?? range.toMs)
  }
  return waits
}

function findPlanRange({ notes: { phases }, totalMs }: Context): Range | undefined {
  const first = phases.find(({ phase }) => phase === 'carryOut')
  const last = phases.findLastIndex(({ phase }) => phase === 'carryOut')
  return first && { fromMs: first.fromMs, toMs: phases[last + 1]?.fromMs ?? totalMs }
}

/** Something that it needs, with the time when that was there. */
interface Need {
  readonly operation: NotedOperation
  readonly toMs: number
}

function describeWait(
  id: string,
  operation: NotedOperation,
  range: Range,
  byId: ReadonlyMap<string, NotedOperation>,
): Span {
  const needs = operation.needs
    .flatMap((need): Need[] => {
      const found = byId.get(need)
      return found === undefined
        ? []
        : [{ operation: found, toMs: found.hasFailed ? range.toMs : (found.toMs ?? range.toMs) }]
    })
    .filter(({ toMs }) => toMs > range.fromMs)
    .sort((one, other) => other.toMs - one.toMs)
  const [last] = needs
  const words = (need: Need): string => wordOperation(need.operation).awaited
  const notes = needs.length < 2 ? [] : needs.map((need) => `${words(need)}: after ${formatMs(need.toMs)}`)
  return {
    ...range,
    id,
    kind: 'wait',
    title: last === undefined ? 'waiting for testfleet' : `waiting for ${words(last)}`,
    outcome: 'ok',
    isCritical: false,
    needs: needs.map(({ operation: { id: needed } }) => needed),
    notes,
    parts: [],
  }
}
