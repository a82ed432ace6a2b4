import { type Field, readFields } from './protobuf.ts'

/** A part of a build, as BuildKit's `moby.buildkit.v1.StatusResponse` tells of it; each message tells its newest state. */
export interface Vertex {
  readonly digest: string
  readonly name: string
  readonly isCached: boolean
  readonly isStarted: boolean
  readonly isCompleted: boolean
  readonly error: string
}

/** What a vertex's process wrote; lines may be cut anywhere. */
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
export function readTrace(base64: string): Trace {
  const vertexes: Vertex[] = []
  const logs: VertexLog[] = []
  for (const field of readFields(Buffer.from(base64, 'base64'))) {
    if (field.kind !== 'bytes') continue
    // 2 holds the progress of transfers, 4 warnings: not told.
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

/** Of a field that comes twice the last counts, as protobuf has it. */
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
