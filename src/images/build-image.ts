import type { CallOptions, Engine } from '../engine/engine.ts'
import type { BuildRequest } from '../engine/image-types.ts'
import { packArchive } from '../files/archive.ts'
import type { OnEvent } from '../model/events.ts'
import { BuildFailure, TestfleetError } from '../model/failures.ts'
import type { FleetSource } from '../model/fleet.ts'
import { label, type PackageVersions } from '../model/labels.ts'
import type { OperationOf, PreparedBuild } from '../model/plan.ts'
import { buildSteps, type Stage } from './build-steps.ts'
import { findWarnings } from './find-warnings.ts'
import { PlacementError } from './place-files.ts'
import { describeBase, packagesToRecord, recordPackages } from './record-packages.ts'

export interface BuildSettings {
  readonly fleet: string
  readonly owner: string
  /** Id of the change under which things are created. */
  readonly change: string
  readonly source: FleetSource
  readonly onEvent: OnEvent
}

/** Builds the image of an operation. BUILD_FAILED names the line of the fleet file that declares the failed step. */
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
  for (const message of findWarnings(operation)) settings.onEvent({ kind: 'warned', message })
  const packages = packagesToRecord(recipe)
  const isEarly = canRecordEarly(operation.build)
  const isLate = packages.length > 0 && !isEarly
  // No other call knows the name, so no call mistakes an unfinished image for a finished one.
  const unfinished = `${build.reference}-${settings.change}`
  const labels = {
    [label.fleet]: settings.fleet,
    [label.digest]: build.digest,
    [label.owner]: settings.owner,
    ...(isLate ? { [label.change]: settings.change } : {}),
    ...(await describeBase(recipe, engine, options)),
  }
  const runStage = (stage: Stage): Promise<void> =>
    engine.buildImage(describeRequest(stage, operation, settings.onEvent), options).catch((error: unknown) => {
      throw error instanceof BuildFailure ? explainFailure(error, stage, operation, settings.source) : error
    })
  const tags = isLate ? [unfinished] : references
  let recorded: PackageVersions | undefined
  if (content.kind === 'steps') {
    const { change } = settings
    const image = {
      tags,
      labels,
      unfinished,
      change,
      platform: recipe.platform,
      packages: isEarly ? packages : undefined,
    }
    recorded = await buildSteps(content, image, engine, runStage, options).catch((error: unknown) => {
      throw error instanceof PlacementError ? explainPlacement(error, operation, settings.source) : error
    })
  } else {
    const dockerfile = { path: content.dockerfilePath, text: content.dockerfile }
    await runStage({ tags, labels, dockerfile, entries: content.entries, steps: [], allSteps: [] })
  }
  if (isLate || (recorded !== undefined && recipe.kind === 'steps' && recipe.steps.run.length > 0)) {
    settings.onEvent({ kind: 'recordingPackages', ...about })
    const [reference = ''] = tags
    const ofChange = { ...labels, [label.change]: settings.change }
    const image = {
      reference,
      name: unfinished,
      platform: recipe.platform,
      labels: ofChange,
      references,
      packages,
      recorded,
    }
    // If the build fails, its unfinished image is removed with the change.
    await recordPackages(image, engine, options)
    if (isLate) await engine.removeImage(unfinished)
  }
  settings.onEvent({ kind: 'built', ...about, elapsedMs: performance.now() - started })
}

/** Programs of a script that may change the versions of packages. */
const INSTALLERS = /\b(?:apt|apt-get|aptitude|dpkg|deb)\b/

/**
 * Whether the packages of a build are recorded before its last steps, for which the image has to be read anyway. If a script
 * of `run` turns out to have changed them, the complete image gets another label.
 */
function canRecordEarly({ recipe, content }: PreparedBuild): boolean {
  return (
    recipe.kind === 'steps' &&
    content.kind === 'steps' &&
    content.copies.length > 0 &&
    packagesToRecord(recipe).length > 0 &&
    !recipe.steps.run.some((script) => INSTALLERS.test(script))
  )
}

/** Whether the build creates more than the image. */
export function needsChange({ recipe, content }: PreparedBuild): boolean {
  return packagesToRecord(recipe).length > 0 || (content.kind === 'steps' && content.copies.length > 0)
}

function describeRequest(
  { tags, labels, dockerfile, entries, steps, allSteps }: Stage,
  { build: { recipe, reference }, servers }: OperationOf<'buildImage'>,
  onEvent: OnEvent,
): BuildRequest {
  const { path, text } = dockerfile
  const isInContext = entries.some((entry) => entry.path === path)
  const about = { reference, servers }
  return {
    tags,
    labels,
    dockerfile: path,
    dockerfileText: text,
    platform: recipe.platform,
    context: packArchive(isInContext ? entries : [{ kind: 'text', path, mode: 0o644, text }, ...entries]),
    ...(recipe.kind === 'dockerfile' ? { target: recipe.target, args: Object.fromEntries(recipe.args) } : {}),
    onProgress(progress) {
      if (progress.kind === 'output') onEvent({ kind: 'buildOutput', ...about, line: progress.line })
      else if (progress.step !== undefined) {
        const { step: counted, total = counted, isCached } = progress
        const step = steps[counted - 1]
        if (step === undefined && allSteps.length > 0) return
        const own = { number: counted, total, text: progress.text }
        const known = step && { number: allSteps.indexOf(step) + 1, total: allSteps.length, text: step.title }
        onEvent({ kind: 'building', ...about, step: { ...(known ?? own), isCached } })
      }
    },
  }
}

/** In the words of the fleet file if it declares the step, else in the engine's. */
function explainFailure(
  failure: BuildFailure,
  { steps }: Stage,
  operation: OperationOf<'buildImage'>,
  source: FleetSource,
): TestfleetError {
  const step = failure.step === undefined ? undefined : steps[failure.step - 1]
  const exitCode = /exit code:? (\d+)/.exec(failure.message)?.[1]
  const why = step && exitCode ? `\`${step.title}\` failed with exit code ${exitCode}` : failure.message
  return buildFailed(operation, why, {
    at: source.locate(step?.at ?? operation.build.recipe.at),
    output: failure.output,
    hint: failure.hint ?? hintForOutput(failure.output),
    cause: failure,
  })
}

function explainPlacement(
  error: PlacementError,
  operation: OperationOf<'buildImage'>,
  source: FleetSource,
): TestfleetError {
  return buildFailed(operation, error.message, { at: source.locate(error.at), hint: error.hint, cause: error })
}

function buildFailed(
  { build, servers }: OperationOf<'buildImage'>,
  why: string,
  details: ConstructorParameters<typeof TestfleetError>[2],
): TestfleetError {
  const isOfBase = build.recipe.at[0] === 'base'
  const what = isOfBase ? 'the base image of the fleet' : `the image of ${servers.join(', ')}`
  const server = isOfBase ? undefined : servers[0]
  return new TestfleetError('BUILD_FAILED', `${what} could not be built: ${why}`, { ...details, server })
}

function hintForOutput(output: readonly string[]): string | undefined {
  const pattern = /Unable to locate package (\S+)|Version '.*' for '(\S+)' was not found/
  const missing = output.map((line) => pattern.exec(line)).find(Boolean)
  if (missing) {
    const name = missing[1] ?? missing[2]
    return `Check the spelling of the package ${name}, and whether this release of the base image has it.`
  }
  if (output.some((line) => /Temporary failure resolving|Could not resolve|Could not connect/.test(line))) {
    return "The build cannot reach the package archive: check the engine's network, and `proxies` in the docker command's config.json."
  }
  return undefined
}
