import { assignLanes } from './lanes.ts'
import type { CallTimeline, CheckLine, Row, Span } from './timeline-model.ts'

/** Only the fields of the Trace Event Format that are used here. Times are in microseconds. */
interface TraceEvent {
  readonly name: string
  readonly ph: 'X' | 'M' | 'i' | 's' | 'f'
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly cat?: string
  readonly args?: object
  readonly s?: 't' | 'p'
  readonly id?: number
  readonly bp?: 'e'
}

const PROCESS = 1
const PATH_THREAD = 1

/**
 * Writes a timeline as JSON in the Trace Event Format, which Perfetto and chrome://tracing read. Each row is a thread, and
 * each ready check another one.
 */
export function formatTrace(timeline: CallTimeline): string {
  const { call, session, version, startedAt, outcome, message, summary, rows, path, warnings, totalMs } = timeline
  const threads = openThreads()
  const events: TraceEvent[] = [
    meta('process_name', 0, { name: `testfleet ${call}${session === undefined ? '' : ` ${session}`}` }),
    ...threads.name(PATH_THREAD, 'critical path'),
    ...path.map(({ title, detail, fromMs, toMs }) =>
      slice(title, PATH_THREAD, { fromMs, toMs }, 'criticalPath', detail === undefined ? {} : { detail }),
    ),
  ]
  const places = new Map<string, { readonly tid: number; readonly span: Span }>()
  for (const row of rows) {
    const lanes = assignLanes(row.spans)
    const tids = Array.from({ length: Math.max(1, ...lanes.map(({ lane }) => lane + 1)) }, () => threads.next())
    for (const tid of tids) events.push(...threads.name(tid, row.name))
    for (const { item: span, lane } of lanes) {
      const tid = tids[lane] ?? 0
      places.set(span.id, { tid, span })
      events.push(...describeSpan(span, tid))
    }
    if (row.readyMs !== undefined) events.push(instant('ready', tids[0] ?? 0, row.readyMs))
    events.push(...row.checks.flatMap((check) => describeCheck(row, check, threads)))
  }
  events.push(...describeNeeds(places), instant(outcome === 'ok' ? 'done' : outcome, PATH_THREAD, totalMs, 'p'))
  const otherData = { summary, outcome, message, version, startedAt: startedAt.toISOString(), warnings }
  return `${JSON.stringify({ displayTimeUnit: 'ms', otherData, traceEvents: events })}\n`
}

type Threads = ReturnType<typeof openThreads>

function openThreads() {
  let last = PATH_THREAD
  return {
    next: (): number => ++last,
    name: (tid: number, name: string): TraceEvent[] => [
      meta('thread_name', tid, { name }),
      meta('thread_sort_index', tid, { sort_index: tid }),
    ],
  }
}

function meta(name: string, tid: number, args: object): TraceEvent {
  return { name, ph: 'M', pid: PROCESS, tid, ts: 0, args }
}

function slice(
  name: string,
  tid: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  cat: string,
  args: object = {},
): TraceEvent {
  const ts = toMicroseconds(fromMs)
  return { name, cat, ph: 'X', pid: PROCESS, tid, ts, dur: Math.max(0, toMicroseconds(toMs) - ts), args }
}

function instant(name: string, tid: number, atMs: number, s: 't' | 'p' = 't'): TraceEvent {
  return { name, ph: 'i', pid: PROCESS, tid, ts: toMicroseconds(atMs), s }
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000)
}

function describeSpan(span: Span, tid: number): TraceEvent[] {
  const { title, kind, outcome, isCritical, notes, parts } = span
  const args = { critical: isCritical, ...(outcome !== 'ok' && { outcome }), ...(notes.length > 0 && { notes }) }
  // Parts are drawn inside their span, so they must not exceed it.
  const inside = parts.map((part) => {
    const fromMs = Math.min(Math.max(part.fromMs, span.fromMs), span.toMs)
    return slice(part.title, tid, { fromMs, toMs: Math.min(Math.max(part.toMs, fromMs), span.toMs) }, 'step')
  })
  return [slice(title, tid, span, kind, args), ...inside]
}

function describeCheck(row: Row, check: CheckLine, threads: Threads): TraceEvent[] {
  const tid = threads.next()
  const args = { passed: check.isPassed }
  let lastMs = check.fromMs
  const tries = check.tries.map((one) => {
    const fromMs = Math.max(one.fromMs, lastMs)
    lastMs = Math.max(one.toMs, fromMs)
    const toMs = Math.min(lastMs, check.toMs)
    const range = { fromMs: Math.min(fromMs, toMs), toMs }
    return slice(one.answer, tid, range, 'try', { tries: one.count, passed: one.isPassed })
  })
  return [...threads.name(tid, `${row.name}: ${check.name}`), slice(check.name, tid, check, 'check', args), ...tries]
}

/** Draws an arrow from the end of each span to those that had to wait for it. */
function describeNeeds(places: ReadonlyMap<string, { readonly tid: number; readonly span: Span }>): TraceEvent[] {
  let id = 0
  return [...places.values()].flatMap(({ tid, span }) => {
    if (span.kind === 'wait') return []
    return span.needs.flatMap((need): TraceEvent[] => {
      const from = places.get(need)
      if (from === undefined || from.tid === tid) return []
      id++
      const about = { name: 'needs', cat: 'needs', pid: PROCESS, id }
      // An arrow begins inside the slice that it belongs to.
      const begin = Math.max(toMicroseconds(from.span.fromMs), toMicroseconds(from.span.toMs) - 1)
      return [
        { ...about, ph: 's', tid: from.tid, ts: begin },
        { ...about, ph: 'f', tid, ts: Math.max(begin, toMicroseconds(span.fromMs)), bp: 'e' },
      ]
    })
  })
}
