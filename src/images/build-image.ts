import type { BuildRequest, CallOptions, Engine } from '../engine/engine.ts'
import { packArchive } from '../files/archive.ts'
import type { OnEvent } from '../model/events.ts'
import { BuildFailure, TestfleetError } from '../model/failures.ts'
import type { FleetSource } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { BuildContent, ContextEntry, OperationOf } from '../model/plan.ts'
import { describeBase, packagesToRecord, recordPackages } from './record-packages.ts'

export interface BuildSettings {
  readonly fleet: string
  readonly owner: string
  /** The id of the change under which things are created. */
  readonly change: string
  readonly source: FleetSource
  readonly onEvent: OnEvent
}

/** Builds what the operation asks for. Fails with BUILD_FAILED, which says which line of the fleet file asked for the step. */
export async function buildImage(
  operation: OperationOf<'buildImage'>,
  engine: Engine,
  settings: BuildSettings,
  options: CallOptions,
): Promise<void> {
  const { build, references, servers } = operation
  const { recipe, content } = build
  const started = performance.now()
  const about = { reference: build.reference, servers }
  settings.onEvent({ kind: 'building', ...about, step: undefined })
  const packages = packagesToRecord(recipe)
  const isRecorded = packages.length > 0
  // No other call knows the name, so nobody takes an image for finished that is not.
  const unfinished = `${build.reference}-${settings.change}`
  const labels = {
    [label.fleet]: settings.fleet,
    [label.digest]: build.digest,
    [label.owner]: settings.owner,
    ...(isRecorded ? { [label.change]: settings.change } : {}),
    ...(await describeBase(recipe, engine, options)),
  }
  const request: BuildRequest = {
    tags: isRecorded ? [unfinished] : references,
    labels,
    dockerfile: content.dockerfilePath,
    platform: recipe.platform,
    context: packArchive(contextOf(content)),
    ...(recipe.kind === 'dockerfile' ? { target: recipe.target, args: Object.fromEntries(recipe.args) } : {}),
    onProgress(progress) {
      if (progress.kind === 'output') settings.onEvent({ kind: 'buildOutput', ...about, line: progress.line })
      else if (progress.step !== undefined) {
        const { step: number, total = number, isCached } = progress
        const text = content.steps[number - 1]?.title ?? progress.text
        settings.onEvent({ kind: 'building', ...about, step: { number, total, text, isCached } })
      }
    },
  }
  try {
    await engine.buildImage(request, options)
    if (isRecorded) {
      const image = { reference: unfinished, platform: recipe.platform, labels, references, packages }
      // When it fails, what there is of it goes with the change.
      await recordPackages(image, engine, options)
      await engine.removeImage(unfinished)
    }
  } catch (error) {
    throw error instanceof BuildFailure ? explainFailure(error, operation, settings.source) : error
  }
  settings.onEvent({ kind: 'built', ...about, elapsedMs: performance.now() - started })
}

function contextOf({ dockerfile, dockerfilePath, entries }: BuildContent): readonly ContextEntry[] {
  if (entries.some(({ path }) => path === dockerfilePath)) return entries
  return [{ kind: 'text', path: dockerfilePath, mode: 0o644, text: dockerfile }, ...entries]
}

/** In the words of the fleet file where it asked for the step; else in the engine's. */
function explainFailure(
  failure: BuildFailure,
  operation: OperationOf<'buildImage'>,
  source: FleetSource,
): TestfleetError {
  const { recipe, content } = operation.build
  const step = failure.step === undefined ? undefined : content.steps[failure.step - 1]
  const exitCode = /exit code:? (\d+)/.exec(failure.message)?.[1]
  const isOfBase = recipe.at[0] === 'base'
  const what = isOfBase ? 'the base image of the fleet' : `the image of ${operation.servers.join(', ')}`
  const why = step && exitCode ? `\`${step.title}\` failed with exit code ${exitCode}` : failure.message
  return new TestfleetError('BUILD_FAILED', `${what} could not be built: ${why}`, {
    server: isOfBase ? undefined : operation.servers[0],
    at: source.locate(step?.at ?? recipe.at),
    output: failure.output,
    hint: failure.hint ?? hintForOutput(failure.output),
    cause: failure,
  })
}

function hintForOutput(output: readonly string[]): string | undefined {
  const pattern = /Unable to locate package (\S+)|Version '.*' for '(\S+)' was not found/
  const missing = output.map((line) => pattern.exec(line)).find(Boolean)
  if (missing) {
    const name = missing[1] ?? missing[2]
    return `Check the spelling of the package ${name}, and whether this release of the base image has it.`
  }
  if (output.some((line) => /Temporary failure resolving|Could not resolve|Could not connect/.test(line))) {
    return "The build cannot reach the package archive: check the engine's network and proxy settings."
  }
  return undefined
}
