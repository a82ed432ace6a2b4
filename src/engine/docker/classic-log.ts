import type { BuildLog, OnProgress } from './build-log.ts'
import type { ProgressJson } from './json-lines.ts'
import { collectLines, type OutputLines } from './output-lines.ts'

interface Step {
  readonly step: number | undefined
  readonly text: string
  readonly output: OutputLines
  isTold: boolean
}

/**
 * The classic builder's progress, and Podman's: one instruction after the other, told in text. Its own numbers count
 * every instruction; ours count the ones that BuildKit counts, within their stage.
 */
export function followClassic(onProgress: OnProgress): BuildLog {
  const said = collectLines()
  let current: Step | undefined
  let count = 0
  const readLine = (line: string): void => {
    const instruction = instructionIn(line)
    if (instruction !== undefined) {
      count = countStep(instruction, count)
      const step = isCounted(instruction) ? count : undefined
      current = { step, text: instruction, output: collectLines(), isTold: false }
      return
    }
    // The line after a step's own tells whether it was cached.
    if (current !== undefined) tell(current, /^ ---> Using cache|^--> Using cache/.test(line), onProgress)
    if (isBuilders(line)) return
    current?.output.add(Buffer.from(`${line}\n`))
    onProgress({ kind: 'output', line })
  }
  return {
    read(line: ProgressJson) {
      const { stream } = line
      // The builder's own words, and the end, come after what a step has left without a line's end.
      if (!stream || isBuilders(stream) || instructionIn(stream) !== undefined)
        for (const one of said.finish()) readLine(one)
      if (stream) for (const one of said.add(Buffer.from(stream))) readLine(one)
      if (current !== undefined && (line.error || line.status)) tell(current, false, onProgress)
    },
    failedStep() {
      if (current === undefined) return undefined
      return { step: current.step, total: undefined, instruction: current.text, output: current.output.last() }
    },
  }
}

/** `Step 2/5 : RUN x`, Podman's `STEP 2/5: RUN x`. */
function instructionIn(line: string): string | undefined {
  return /^step \d+(?:\/\d+)? ?: (.*)\n?$/i.exec(line)?.[1]
}

function tell(step: Step, isCached: boolean, onProgress: OnProgress): void {
  if (step.isTold) return
  step.isTold = true
  onProgress({ kind: 'step', step: step.step, total: undefined, text: step.text, isCached })
}

function countStep(instruction: string, before: number): number {
  if (/^FROM\s/i.test(instruction)) return 1
  return isCounted(instruction) ? before + 1 : before
}

function isCounted(instruction: string): boolean {
  return /^(?:FROM|RUN|COPY|ADD|WORKDIR)\s/i.test(instruction)
}

/** ` ---> Running in 1f2e…`, ` ---> 1f2e…`, `Removing intermediate container …`, Podman's `--> 1f2e…`. */
function isBuilders(line: string): boolean {
  return line === '' || /^ ?--->? |^Removing intermediate container |^Successfully (?:built|tagged) /.test(line)
}
