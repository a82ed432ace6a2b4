import { BuildFailure, TestfleetError } from '../../../model/failures.ts'
import { say } from '../../../model/surface.ts'
import type { CallOptions } from '../../engine.ts'
import type { BuildRequest } from '../../image-types.ts'
import { ARCHITECTURE } from '../archives/image-json.ts'
import { findImage } from '../images/find-image.ts'
import type { ImageRecord, Local } from '../types.ts'
import { carryOut } from './build-stage.ts'
import { emptyConfig } from './configure.ts'
import { collectLines } from './lines.ts'
import { COUNTED, mistake, type Stage } from './read-stages.ts'
import { StepFailed } from './run-step.ts'
import type { StageContext, StageState } from './stage-context.ts'

/** Pulls an image that a stage starts from. */
export type PullBase = (reference: string, options: CallOptions) => Promise<void>

export interface StageRequest extends StageContext {
  readonly request: BuildRequest
  readonly results: ReadonlyMap<Stage, Promise<StageState>>
  baseOf(reference: string): Promise<ImageRecord>
  /** Number of the steps before. */
  readonly first: number
  readonly total: number
}

/** Builds one stage. BUILD_FAILED with the number of the step. */
export async function buildStage(stage: Stage, build: StageRequest): Promise<StageState> {
  const { request, first, total } = build
  const { from } = stage
  let step = first
  const tell = (text: string, number: number, isCached: boolean): void =>
    request.onProgress?.({ kind: 'step', step: number, total, text, isCached })
  if (isImage(from)) step += 1
  let state = await startStage(stage, build, step).catch((error: unknown) => {
    throw explain(error, step, total, stage.text, [])
  })
  if (isImage(from)) tell(stage.text, step, true)
  for (const instruction of stage.instructions) {
    build.signal?.throwIfAborted()
    const text = `${instruction.keyword} ${instruction.rest.split('\n', 1)[0]}`
    const isCounted = COUNTED.has(instruction.keyword)
    if (isCounted) step += 1
    const number = step
    const lines = collectLines((line) => request.onProgress?.({ kind: 'output', line }))
    const told = (isCached: boolean): void => tell(text, number, isCached)
    state = await carryOut(state, instruction, build, lines, told).catch((error: unknown) => {
      if (build.signal?.aborted) throw build.signal.reason
      throw explain(
        error,
        isCounted ? number : undefined,
        total,
        `${instruction.keyword} ${instruction.rest}`,
        lines.last(),
      )
    })
  }
  return state
}

async function startStage({ from, platform, line }: Stage, build: StageRequest, step: number): Promise<StageState> {
  const wanted = platform ?? build.request.platform
  if (wanted !== undefined && !isOwnPlatform(wanted)) {
    throw mistake(line, `the platform ${wanted} is not that of this machine, linux/${ARCHITECTURE}`)
  }
  const args = new Map<string, string>()
  if (typeof from !== 'string') {
    const state = await build.results.get(from)
    if (state === undefined) throw new TestfleetError('BUILD_FAILED', `step ${step}: its stage was not built`)
    return { ...state, args }
  }
  if (!isImage(from)) return { layers: [], key: '', config: emptyConfig, args }
  const { id, layers, config } = await build.baseOf(from)
  return { layers, key: `${id} ${JSON.stringify(config)}`, config, args }
}

function isOwnPlatform(platform: string): boolean {
  const [system, architecture = ARCHITECTURE] = platform.toLowerCase().split('/')
  const names: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }
  return system === 'linux' && (names[architecture] ?? architecture) === ARCHITECTURE
}

/** Finds the image that a stage starts from, or pulls it. BUILD_FAILED. */
export async function findBase(
  local: Local,
  reference: string,
  pull: PullBase,
  options: CallOptions,
): Promise<ImageRecord> {
  const found = await findImage(local, reference)
  if (found !== undefined) return found
  try {
    await pull(reference, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    const { message, hint } = error as TestfleetError
    const why = `the base image ${reference} does not exist locally and could not be pulled: ${message}`
    throw new BuildFailure(why, undefined, `FROM ${reference}`, { hint: hint ?? loadHint(), cause: error })
  }
  const pulled = await findImage(local, reference)
  if (pulled !== undefined) return pulled
  throw new BuildFailure(`the base image ${reference} is gone again`, undefined, `FROM ${reference}`, {
    hint: loadHint(),
  })
}

const loadHint = (): string =>
  `Check its name; without a network, load it from an archive first (${say('loadImages')}).`

const LONGEST_INSTRUCTION = 100

/** Returns the failure of a build for what went wrong in a step. */
function explain(
  error: unknown,
  step: number | undefined,
  total: number,
  instruction: string,
  output: readonly string[],
): unknown {
  if (error instanceof BuildFailure && error.step === undefined && error.instruction !== '') return error
  const isMistake = error instanceof BuildFailure
  const words = (error as Error).message
  const line = instruction.replace(/\s+/g, ' ')
  const short = line.length > LONGEST_INSTRUCTION ? `${line.slice(0, LONGEST_INSTRUCTION)}…` : line
  const message = step === undefined || isMistake ? words : `step ${step} of ${total} failed, ${short}: ${words}`
  const hint = error instanceof TestfleetError ? error.hint : undefined
  return new BuildFailure(message, step, instruction, {
    hint,
    output: error instanceof StepFailed ? output : [],
    cause: error,
  })
}

/** Whether a stage starts from an image, and neither from another stage nor from nothing. */
export function isImage(from: string | Stage): from is string {
  return typeof from === 'string' && from.toLowerCase() !== 'scratch'
}
