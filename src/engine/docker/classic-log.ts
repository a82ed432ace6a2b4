import type { BuildLog, OnProgress } from './build-log.ts'
import { collectLines, type OutputLines } from './build-log.ts'
import { countSteps, type StepNumbers } from './build-steps.ts'
import type { ProgressJson } from './json-lines.ts'

interface Step {
  readonly step: number | undefined
  readonly text: string
  readonly output: OutputLines
  isReported: boolean
}

/**
 * Reads the progress of the classic builder and of Podman: text, one instruction after the other. The builder numbers
 * every instruction; testfleet counts only those that BuildKit counts.
 */
export function followClassic(onProgress: OnProgress, numbers: StepNumbers = countSteps({}, true)): BuildLog {
  const said = collectLines()
  let current: Step | undefined
  let [stage, count] = [-1, 0]
  const countStep = (instruction: string): number | undefined => {
    if (/^FROM\s/i.test(instruction)) {
      stage += 1
      count = numbers.countsFrom(stage) ? 1 : 0
      return count === 0 ? undefined : numbers.numberOf(stage, 1)
    }
    return isCounted(instruction) ? numbers.numberOf(stage, ++count) : undefined
  }
  const readLine = (line: string): void => {
    const instruction = instructionIn(line)
    if (instruction !== undefined) {
      const step = countStep(instruction)
      current = { step, text: instruction, output: collectLines(), isReported: false }
      return
    }
    // The line after the instruction says whether it was cached.
    if (current !== undefined)
      reportStep(current, numbers.total, /^ ---> Using cache|^--> Using cache/.test(line), onProgress)
    if (isBuilders(line)) return
    current?.output.add(Buffer.from(`${line}\n`))
    onProgress({ kind: 'output', line })
  }
  return {
    read(line: ProgressJson) {
      const { stream } = line
      // The builder's own lines end an output line that the step left unfinished.
      if (!stream || isBuilders(stream) || instructionIn(stream) !== undefined)
        for (const one of said.finish()) readLine(one)
      if (stream) for (const one of said.add(Buffer.from(stream))) readLine(one)
      if (current !== undefined && (line.error || line.status)) reportStep(current, numbers.total, false, onProgress)
    },
    failedStep() {
      if (current === undefined) return undefined
      return {
        step: current.step,
        total: totalFor(current, numbers.total),
        instruction: current.text,
        output: current.output.last(),
      }
    },
  }
}

/** `Step 2/5 : RUN x`, Podman's `STEP 2/5: RUN x`, and with stages its `[1/2] STEP 2/5: RUN x`. */
function instructionIn(line: string): string | undefined {
  return /^(?:\[\d+\/\d+\] )?step \d+(?:\/\d+)? ?: (.*)\n?$/i.exec(line)?.[1]
}

function reportStep(step: Step, total: number | undefined, isCached: boolean, onProgress: OnProgress): void {
  if (step.isReported) return
  step.isReported = true
  onProgress({ kind: 'step', step: step.step, total: totalFor(step, total), text: step.text, isCached })
}

function totalFor({ step }: Step, total: number | undefined): number | undefined {
  return step === undefined || total === undefined ? undefined : Math.max(step, total)
}

function isCounted(instruction: string): boolean {
  return /^(?:RUN|COPY|ADD|WORKDIR)\s/i.test(instruction)
}

/** ` ---> Running in 1f2e…`, ` ---> 1f2e…`, `Removing intermediate container …`, Podman's `--> 1f2e…`. */
function isBuilders(line: string): boolean {
  return line === '' || /^ ?--->? |^Removing intermediate container |^Successfully (?:built|tagged) /.test(line)
}
