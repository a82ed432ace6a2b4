import { BuildFailure } from '../build-failure.ts'
import type { BuildRequest, CallOptions } from '../engine.ts'
import type { ApiCall } from './api-call.ts'
import type { BuildLog } from './build-log.ts'
import { followBuildKit } from './buildkit-log.ts'
import { followClassic } from './classic-log.ts'
import type { Client } from './client.ts'
import { expectImage } from './expect-image.ts'
import { explainBuild } from './explain-build.ts'
import { errorIn, readProgress } from './json-lines.ts'

/**
 * Builds with BuildKit where the engine has it, else with the classic builder. A plain tar body without a session is
 * what both take; the docker command's login for a private base image would need a session with BuildKit, so such a
 * base is pulled before. When the connection is dropped, the engine ends the build.
 */
export async function buildImage(client: Client, request: BuildRequest, options: CallOptions = {}): Promise<void> {
  const { context } = request
  // An error before anyone reads the context must not end the process; it is told when the context is sent.
  const ignore = (): void => {}
  context.on('error', ignore)
  try {
    const { hasBuildKit } = await client.spoken(options)
    const onProgress = request.onProgress?.bind(request) ?? ignore
    const log = hasBuildKit ? followBuildKit(onProgress) : followClassic(onProgress)
    if (context.errored) throw context.errored
    await runBuild(client, buildCall(request, hasBuildKit, options), log)
    for (const tag of request.tags) await expectImage(client, tag, options)
  } finally {
    context.destroy()
  }
}

async function runBuild(client: Client, call: ApiCall, log: BuildLog): Promise<void> {
  const answer = await client.stream({ ...call, refine: ({ words }) => failureOf(words, log) })
  for await (const line of readProgress(answer.body)) {
    log.read(line)
    const error = errorIn(line)
    if (error !== undefined) throw failureOf(error, log)
  }
}

function failureOf(words: string, log: BuildLog): BuildFailure {
  const failed = log.failedStep()
  const { message, hint } = explainBuild(words, failed)
  const details = { hint, output: failed?.output, cause: words }
  return new BuildFailure(message, failed?.step, failed?.instruction ?? '', details)
}

function buildCall(request: BuildRequest, hasBuildKit: boolean, options: CallOptions): ApiCall {
  return {
    method: 'POST',
    path: '/build',
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
    ...options,
    isWhole: true,
  }
}
