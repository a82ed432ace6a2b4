import { BuildFailure } from '../build-failure.ts'
import type { BuildRequest, CallOptions } from '../engine.ts'
import type { BuildLog } from './build-log.ts'
import { followBuildKit } from './buildkit-log.ts'
import { followClassic } from './classic-log.ts'
import type { ApiRequest, Client } from './client.ts'
import { explainBuild } from './explain-build.ts'
import { expectImage } from './images.ts'
import { errorIn, readProgress } from './json-lines.ts'

/**
 * Builds with BuildKit if the engine has it, else with the classic builder. Both accept a plain tar body without a
 * session. With BuildKit, the docker command's login for a private base image would need a session, so such a base is
 * pulled first. The engine ends the build when the connection is dropped.
 */
export async function buildImage(client: Client, request: BuildRequest, options: CallOptions = {}): Promise<void> {
  const { context } = request
  // An error before anyone reads the context must not end the process; it is reported when the context is sent.
  const ignore = (): void => {}
  context.on('error', ignore)
  try {
    const { hasBuildKit } = await client.dialect(options)
    const onProgress = request.onProgress?.bind(request) ?? ignore
    const log = hasBuildKit ? followBuildKit(onProgress) : followClassic(onProgress)
    if (context.errored) throw context.errored
    await runBuild(client, buildRequest(request, hasBuildKit), log, options)
    for (const tag of request.tags) await expectImage(client, tag, options)
  } finally {
    context.destroy()
  }
}

async function runBuild(client: Client, build: ApiRequest, log: BuildLog, options: CallOptions): Promise<void> {
  const explainRefusal: ApiRequest['explainRefusal'] = ({ words }) => failureOf(words, log)
  const { body } = await client.openStream('POST /build', options, { ...build, explainRefusal })
  for await (const line of readProgress(body)) {
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
