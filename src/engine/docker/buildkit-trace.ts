import { readFields } from './protobuf.ts'

/** A part of a build, as BuildKit's `moby.buildkit.v1.StatusResponse` tells of it; each message tells its newest state. */
export interface Vertex {
  readonly digest: string
  readonly name: string
  readonly isCached: boolean
  readonly isStarted: boolean
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
  const vertex = { digest: '', name: '', isCached: false, isStarted: false, error: '' }
  for (const field of readFields(message)) {
    if (field.number === 1 && field.kind === 'bytes') vertex.digest = field.bytes.toString('utf8')
    if (field.number === 3 && field.kind === 'bytes') vertex.name = field.bytes.toString('utf8')
    if (field.number === 4 && field.kind === 'varint') vertex.isCached = field.value !== 0
    if (field.number === 5) vertex.isStarted = true
    if (field.number === 7 && field.kind === 'bytes') vertex.error = field.bytes.toString('utf8')
  }
  return vertex
}

function readLog(message: Buffer): VertexLog {
  const log = { vertex: '', stream: 1, bytes: Buffer.alloc(0) }
  for (const field of readFields(message)) {
    if (field.number === 1 && field.kind === 'bytes') log.vertex = field.bytes.toString('utf8')
    if (field.number === 3 && field.kind === 'varint') log.stream = field.value
    if (field.number === 4 && field.kind === 'bytes') log.bytes = field.bytes
  }
  return log
}
