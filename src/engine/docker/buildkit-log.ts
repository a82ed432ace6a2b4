import type { BuildProgress } from '../image-types.ts'
import { type BuildLog, collectLines, type FailedStep, type OnProgress, type OutputLines } from './build-log.ts'
import { countSteps, type StepNumbers } from './build-steps.ts'
import type { ProgressJson } from './json-lines.ts'

interface Known {
  readonly name: string
  reported: 'nothing' | 'started' | 'cached'
  error: string
  readonly output: OutputLines
}

/** Reads BuildKit's progress: protobuf messages about a graph whose vertexes run in parallel. */
export function followBuildKit(onProgress: OnProgress, numbers: StepNumbers = countSteps({}, false)): BuildLog {
  const known = new Map<string, Known>()
  return {
    read(line: ProgressJson) {
      if (line.id !== 'moby.buildkit.trace' || typeof line.aux !== 'string') return
      const trace = readTrace(line.aux)
      for (const vertex of trace.vertexes) noteVertex(known, vertex, numbers, onProgress)
      for (const log of trace.logs) noteLog(known, log, onProgress)
    },
    failedStep() {
      const failed = [...known.values()].filter(({ error }) => error !== '')
      // When one vertex fails, the parallel ones are cancelled.
      const first = failed.find(({ error }) => !/context canceled|^cancell?ed$/i.test(error)) ?? failed[0]
      return first && describe(first, numbers)
    },
  }
}

function noteVertex(known: Map<string, Known>, vertex: Vertex, numbers: StepNumbers, onProgress: OnProgress): void {
  const fresh: Known = { name: vertex.name, reported: 'nothing', error: '', output: collectLines() }
  const seen = known.get(vertex.digest) ?? fresh
  known.set(vertex.digest, seen)
  if (seen.error === '') seen.error = vertex.error
  if (vertex.isCompleted) reportLines(seen.output.finish(), onProgress)
  const isNews = vertex.isCached ? seen.reported !== 'cached' : vertex.isStarted && seen.reported === 'nothing'
  if (!isNews || isInternal(vertex.name)) return
  seen.reported = vertex.isCached ? 'cached' : 'started'
  onProgress({ kind: 'step', ...numberStep(vertex.name, numbers), isCached: vertex.isCached })
}

function noteLog(known: Map<string, Known>, log: VertexLog, onProgress: OnProgress): void {
  reportLines(known.get(log.vertex)?.output.add(log.bytes, log.stream) ?? [], onProgress)
}

function reportLines(lines: readonly string[], onProgress: OnProgress): void {
  for (const line of lines) onProgress({ kind: 'output', line })
}

function describe({ name, output }: Known, numbers: StepNumbers): FailedStep {
  const { step, total, text } = numberStep(name, numbers)
  return { step, total, instruction: text, output: output.last() }
}

type NumberedStep = Pick<Extract<BuildProgress, { kind: 'step' }>, 'step' | 'total' | 'text'>

function numberStep(name: string, numbers: StepNumbers): NumberedStep {
  const { stage, step, total, text } = readName(name)
  if (step === undefined || total === undefined) return { step, total, text }
  const number = numbers.numberOf(stage, step)
  return { step: number, total: Math.max(numbers.total ?? total, number), text }
}

interface NameParts {
  /** Name of the stage; undefined in a Dockerfile of one stage. */
  readonly stage: string | undefined
  readonly step: number | undefined
  /** Number of steps of the stage. */
  readonly total: number | undefined
  readonly text: string
}

/** `[2/5] RUN x`, `[stage 2/5] RUN x`, `[linux/arm64 stage 2/5] RUN x`; anything else has no number. */
export function readName(name: string): NameParts {
  const match = /^\[(?:(?:[^\]]*\s)?([^\s\]/]+)\s+)?(?:[^\s\]]*\/\S*\s+)?(\d+)\/(\d+)\] (.*)$/s.exec(name)
  if (match === null) return { stage: undefined, step: undefined, total: undefined, text: name }
  return { stage: match[1], step: Number(match[2]), total: Number(match[3]), text: match[4] ?? '' }
}

/** Whether the step is internal. The builder unpacks a context without a session with a `copy`. */
function isInternal(name: string): boolean {
  return name.startsWith('[internal]') || name.startsWith('copy /context')
}

/** A part of a build in BuildKit's `moby.buildkit.v1.StatusResponse`; each message has its newest state. */
export interface Vertex {
  readonly digest: string
  readonly name: string
  readonly isCached: boolean
  readonly isStarted: boolean
  readonly isCompleted: boolean
  readonly error: string
}

/** Output of a vertex's process; lines may be cut anywhere. */
export interface VertexLog {
  readonly vertex: string
  /** 1 is standard output, 2 standard error. */
  readonly stream: number
  readonly bytes: Buffer
}

export interface Trace {
  readonly vertexes: readonly Vertex[]
  readonly logs: readonly VertexLog[]
}

/** Reads the `aux` of a `moby.buildkit.trace` line. */
function readTrace(base64: string): Trace {
  const vertexes: Vertex[] = []
  const logs: VertexLog[] = []
  for (const field of readFields(Buffer.from(base64, 'base64'))) {
    if (field.kind !== 'bytes') continue
    // 2 is the progress of transfers, 4 warnings: neither is reported.
    if (field.number === 1) vertexes.push(readVertex(field.bytes))
    if (field.number === 3) logs.push(readLog(field.bytes))
  }
  return { vertexes, logs }
}

function readVertex(message: Buffer): Vertex {
  const fields = fieldsByNumber(message)
  return {
    digest: textOf(fields.get(1)),
    name: textOf(fields.get(3)),
    isCached: numberOf(fields.get(4)) !== 0,
    isStarted: fields.has(5),
    isCompleted: fields.has(6),
    error: textOf(fields.get(7)),
  }
}

function readLog(message: Buffer): VertexLog {
  const fields = fieldsByNumber(message)
  return { vertex: textOf(fields.get(1)), stream: numberOf(fields.get(3)), bytes: bytesOf(fields.get(4)) }
}

/** The last occurrence of a field counts, as protobuf demands. */
function fieldsByNumber(message: Buffer): ReadonlyMap<number, Field> {
  return new Map([...readFields(message)].map((field) => [field.number, field]))
}

function bytesOf(field: Field | undefined): Buffer {
  return field?.kind === 'bytes' ? field.bytes : Buffer.alloc(0)
}

function textOf(field: Field | undefined): string {
  return bytesOf(field).toString('utf8')
}

function numberOf(field: Field | undefined): number {
  return field?.kind === 'varint' ? field.value : 0
}

type Field =
  | { readonly number: number; readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly number: number; readonly kind: 'varint'; readonly value: number }

/**
 * Reads the fields of a message in order. Numbers above 2^53 lose their last digits; none that large is used here.
 * Skips fields of fixed width. Throws a RangeError for an invalid message.
 */
export function* readFields(message: Buffer): Generator<Field, void, void> {
  let at = 0
  const readVarint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(at++)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 63) throw new RangeError('a number has more than ten bytes')
    }
  }
  const skip = (count: number): Buffer => {
    if (at + count > message.length) throw new RangeError('a field exceeds its message')
    at += count
    return message.subarray(at - count, at)
  }
  while (at < message.length) {
    const key = readVarint()
    const number = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        yield { number, kind: 'varint', value: readVarint() }
        break
      case 1:
        skip(8)
        break
      case 2:
        yield { number, kind: 'bytes', bytes: skip(readVarint()) }
        break
      case 5:
        skip(4)
        break
      default:
        throw new RangeError('a field has an unknown type')
    }
  }
}
