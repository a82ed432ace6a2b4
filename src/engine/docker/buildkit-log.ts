import type { BuildLog, FailedStep, OnProgress } from './build-log.ts'
import { collectLines, type OutputLines } from './build-log.ts'
import { readTrace, type Vertex, type VertexLog } from './buildkit-trace.ts'
import type { ProgressJson } from './json-lines.ts'

interface Known {
  readonly name: string
  reported: 'nothing' | 'started' | 'cached'
  error: string
  readonly output: OutputLines
}

/** Reads BuildKit's progress: protobuf messages about a graph whose vertexes run in parallel. */
export function followBuildKit(onProgress: OnProgress): BuildLog {
  const known = new Map<string, Known>()
  return {
    read(line: ProgressJson) {
      if (line.id !== 'moby.buildkit.trace' || typeof line.aux !== 'string') return
      const trace = readTrace(line.aux)
      for (const vertex of trace.vertexes) noteVertex(known, vertex, onProgress)
      for (const log of trace.logs) noteLog(known, log, onProgress)
    },
    failedStep() {
      const failed = [...known.values()].filter(({ error }) => error !== '')
      // When one vertex fails, the parallel ones are cancelled.
      const first = failed.find(({ error }) => !/context canceled|^cancell?ed$/i.test(error)) ?? failed[0]
      return first && describe(first)
    },
  }
}

function noteVertex(known: Map<string, Known>, vertex: Vertex, onProgress: OnProgress): void {
  const fresh: Known = { name: vertex.name, reported: 'nothing', error: '', output: collectLines() }
  const seen = known.get(vertex.digest) ?? fresh
  known.set(vertex.digest, seen)
  if (seen.error === '') seen.error = vertex.error
  if (vertex.isCompleted) reportLines(seen.output.finish(), onProgress)
  const isNews = vertex.isCached ? seen.reported !== 'cached' : vertex.isStarted && seen.reported === 'nothing'
  if (!isNews || isInternal(vertex.name)) return
  seen.reported = vertex.isCached ? 'cached' : 'started'
  onProgress({ kind: 'step', ...readName(vertex.name), isCached: vertex.isCached })
}

function noteLog(known: Map<string, Known>, log: VertexLog, onProgress: OnProgress): void {
  reportLines(known.get(log.vertex)?.output.add(log.bytes, log.stream) ?? [], onProgress)
}

function reportLines(lines: readonly string[], onProgress: OnProgress): void {
  for (const line of lines) onProgress({ kind: 'output', line })
}

function describe({ name, output }: Known): FailedStep {
  const { step, total, text } = readName(name)
  return { step, total, instruction: text, output: output.last() }
}

/** `[2/5] RUN x`, `[stage 2/5] RUN x`, `[linux/arm64 stage 2/5] RUN x`; anything else has no number. */
export function readName(name: string): { step: number | undefined; total: number | undefined; text: string } {
  const match = /^\[(?:[^\]]*\s)?(\d+)\/(\d+)\] (.*)$/s.exec(name)
  if (match === null) return { step: undefined, total: undefined, text: name }
  return { step: Number(match[1]), total: Number(match[2]), text: match[3] ?? '' }
}

/** Whether the builder does this for itself. It unpacks a context without a session by a `copy`. */
function isInternal(name: string): boolean {
  return name.startsWith('[internal]') || name.startsWith('copy /context')
}
