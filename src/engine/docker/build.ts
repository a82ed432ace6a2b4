import { BuildFailure } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import type { BuildRequest } from '../image-types.ts'
import type { BuildLog, FailedStep, OnProgress } from './build-log.ts'
import { type BuildProxies, readBuildProxies } from './build-proxies.ts'
import { countSteps } from './build-steps.ts'
import { followBuildKit } from './buildkit-log.ts'
import { followClassic } from './classic-log.ts'
import type { ApiRequest, Client } from './client.ts'
import { diskFullHint, shortenDiskFull } from './disk-full.ts'
import type { DockerHome } from './docker-config.ts'
import { cleanWords } from './errors.ts'
import { errorIn, readJsonLines } from './json-lines.ts'
import { expectImage } from './resources.ts'

/**
 * Builds with BuildKit if the engine has it, else with the classic builder. Both accept a plain tar body without a
 * session. With BuildKit, the docker command's login for a private base image would need a session, so such a base is
 * pulled first. The engine ends the build when the connection is dropped. A build goes through the proxies of the docker
 * command's configuration.
 */
export async function buildImage(
  client: Client,
  dockerHome: DockerHome | undefined,
  request: BuildRequest,
  options: CallOptions = {},
): Promise<void> {
  const { context } = request
  // An error before anyone reads the context must not end the process; it is reported when the context is sent.
  const ignore = (): void => {}
  context.on('error', ignore)
  try {
    const { hasBuildKit } = await client.dialect(options)
    const { args, hideLogins } = await readBuildProxies(dockerHome, client.location.url)
    const onProgress: OnProgress = (progress) =>
      request.onProgress?.(
        progress.kind === 'step'
          ? { ...progress, text: hideLogins(progress.text) }
          : { ...progress, line: hideLogins(progress.line) },
      )
    const numbers = countSteps(request, !hasBuildKit)
    const log = hasBuildKit ? followBuildKit(onProgress, numbers) : followClassic(onProgress, numbers)
    if (context.errored) throw context.errored
    const build = buildRequest({ ...request, args: { ...args, ...request.args } }, hasBuildKit)
    await runBuild(client, build, log, (words) => failureOf(words, log, hideLogins), options)
    for (const tag of request.tags) await expectImage(client, tag, options)
  } finally {
    context.destroy()
  }
}

async function runBuild(
  client: Client,
  build: ApiRequest,
  log: BuildLog,
  explain: (words: string) => BuildFailure,
  options: CallOptions,
): Promise<void> {
  const explainRefusal: ApiRequest['explainRefusal'] = ({ words }) => explain(words)
  const { body } = await client.openStream('POST /build', options, { ...build, explainRefusal })
  for await (const line of readJsonLines(body)) {
    log.read(line)
    const error = errorIn(line)
    if (error !== undefined) throw explain(error)
  }
}

function failureOf(text: string, log: BuildLog, hideLogins: BuildProxies['hideLogins']): BuildFailure {
  const words = hideLogins(text)
  const failed = log.failedStep()
  const instruction = hideLogins(failed?.instruction ?? '')
  const { message, hint } = explainBuild(words, failed && { ...failed, instruction })
  const details = { hint, output: failed?.output.map(hideLogins), cause: words }
  return new BuildFailure(message, failed?.step, instruction, details)
}

function buildRequest(request: BuildRequest, hasBuildKit: boolean): ApiRequest {
  return {
    query: {
      // Without a version it is the classic builder, which leaves a failed step's container behind unless told.
      ...(hasBuildKit ? { version: 2 } : { rm: true, forcerm: true }),
      t: request.tags,
      dockerfile: request.dockerfile,
      labels: JSON.stringify(request.labels),
      buildargs: JSON.stringify(request.args ?? {}),
      target: request.target,
      platform: request.platform,
    },
    body: { type: 'application/x-tar', content: request.context },
    deadline: 'none',
    limitsWholeStream: true,
  }
}

const maxInstructionLength = 100

/** Explains a failed build in one line, from the builder's words and the failed step. */
export function explainBuild(
  text: string,
  failed: FailedStep | undefined,
): { readonly message: string; readonly hint: string | undefined } {
  const words = shortenDiskFull(shorten(cleanWords(text)))
  // A failed program reports a full disk in its output.
  const hint = diskFullHint(text) ?? failed?.output.map(diskFullHint).find(Boolean)
  const base = missingBase(words, failed)
  if (base !== undefined) {
    return {
      message: `the base image ${base} does not exist locally and could not be pulled: ${words}`,
      hint: hint ?? 'Check its name; without a network, load it into the engine first (docker load).',
    }
  }
  if (failed === undefined || failed.step === undefined) return { message: words, hint }
  const of = failed.total === undefined ? '' : ` of ${failed.total}`
  return {
    message: `step ${failed.step}${of} failed, ${shortenInstruction(failed.instruction)}: ${words}`,
    hint,
  }
}

/**
 * BuildKit 20.10: `executor failed running [/bin/sh -c x]: exit code: 3`, newer `failed to solve: process "/bin/sh -c x"
 * did not complete successfully: exit code: 3`; the classic builder: `The command '/bin/sh -c x' returned a non-zero
 * code: 3`, Podman's `while running runtime: exit status 3`. The step says what ran, so that the code is what is left.
 */
function shorten(words: string): string {
  const code =
    /(?:(?:executor failed running|did not complete successfully).*?exit code|returned a non-zero code|while running runtime: exit status):? (\d+)$/s.exec(
      words,
    )
  if (code !== null) return `exit code ${code[1]}`
  return words
    .replace(
      /^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/,
      '',
    )
    .replace(/^(?:COPY|ADD) failed: |^failed to (?:compute cache key|calculate checksum of ref \S+): /, '')
}

function shortenInstruction(instruction: string): string {
  const line = instruction.replace(/\s+/g, ' ')
  return line.length > maxInstructionLength ? `${line.slice(0, maxInstructionLength)}…` : line
}

/** BuildKit fails at `[internal] load metadata for IMAGE`, the classic builder at `FROM IMAGE`. */
function missingBase(words: string, failed: FailedStep | undefined): string | undefined {
  const inMetadata = /^\[internal\] load metadata for (\S+)/.exec(failed?.instruction ?? '')?.[1]
  const inFrom = /^FROM (?:--platform=\S+ )?(\S+)/i.exec(failed?.instruction ?? '')?.[1]
  const isUnreachable =
    /no such host|pull access denied|manifest|not found|does not exist|dial tcp|failed to do request/i.test(words)
  const image = inMetadata ?? (isUnreachable ? inFrom : undefined)
  return image?.replace(/^docker\.io\/(?:library\/)?/, '')
}
