import { parseImageReference } from '../../formats/image-reference.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import type { PullProgress, PullRequest } from '../image-types.ts'
import type { Client } from './client.ts'
import { findCredentials, type RegistryLogin } from './credentials.ts'
import { hintForFullDisk, isDiskFull, shortenDiskFull } from './disk-full.ts'
import type { DockerHome } from './docker-config.ts'
import { cleanWords } from './errors.ts'
import { errorIn, type ProgressJson, readJsonLines } from './json-lines.ts'
import { expectImage } from './resources.ts'

/** Pulls as `docker pull` would, with the docker command's login for the registry; without a `dockerHome`, with none. */
export async function pullImage(
  client: Client,
  dockerHome: DockerHome | undefined,
  text: string,
  request: PullRequest,
  options: CallOptions = {},
): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(text)
  const login: RegistryLogin = dockerHome ? await findCredentials(registry, dockerHome, options.signal) : {}
  const fail = (words: string): TestfleetError => explainPull(text, registry, words, login)
  // A digest makes the tag unnecessary. Without either, Docker pulls `latest`.
  const query = { fromImage: `${registry}/${repository}`, tag: digest ?? tag ?? 'latest', platform: request.platform }
  const { body } = await client.openStream('POST /images/create', options, {
    query,
    headers: login.header === undefined ? {} : { 'x-registry-auth': login.header },
    deadline: 'none',
    limitsWholeStream: true,
    explainRefusal: ({ words }) => fail(words),
  })
  const layers = new Map<string, Layer>()
  for await (const line of readJsonLines(body)) {
    const error = errorIn(line)
    if (error !== undefined) throw fail(error)
    const progress = countUp(layers, line)
    if (progress !== undefined) request.onProgress?.(progress)
  }
  await expectImage(client, text, options)
}

type Layer = Omit<PullProgress, 'status'>

/** Adds up the progress of the layers, which the engine reports separately. */
function countUp(layers: Map<string, Layer>, { id, status, progressDetail }: ProgressJson): PullProgress | undefined {
  if (!status) return undefined
  if (id && status === 'Downloading' && progressDetail?.total) {
    layers.set(id, { currentBytes: progressDetail.current ?? 0, totalBytes: progressDetail.total })
  }
  const layer = layers.get(id ?? '')
  if (id && layer && /^(Verifying|Download complete|Extracting|Pull complete)/.test(status)) {
    layers.set(id, { ...layer, currentBytes: layer.totalBytes })
  }
  const all = [...layers.values()]
  return {
    status: cleanWords(status),
    currentBytes: all.reduce((sum, one) => sum + one.currentBytes, 0),
    totalBytes: all.reduce((sum, one) => sum + one.totalBytes, 0),
  }
}

function explainPull(reference: string, host: string, text: string, login: RegistryLogin): TestfleetError {
  const words = cleanWords(text)
  const hints = [hintFor(words, host), login.problem].filter((hint) => hint !== undefined)
  const details = { hint: hints.length === 0 ? undefined : hints.join(' '), cause: words }
  const isMissing =
    /manifest (?:for \S+ |\S+ )?(?:unknown|not found)|name unknown|repository (?:\S+ )?(?:does not exist|not found)|: not found$/i
  if (isMissing.test(words)) {
    const message = `the image ${reference} is not in the registry ${host}: ${words}`
    return new TestfleetError('IMAGE_NOT_FOUND', message, details)
  }
  return new TestfleetError(
    'PULL_FAILED',
    `the image ${reference} could not be pulled: ${shortenDiskFull(words)}`,
    details,
  )
}

function hintFor(words: string, host: string): string | undefined {
  if (isDiskFull(words)) return hintForFullDisk()
  const login = `docker login${host === 'docker.io' ? '' : ` ${host}`}`
  if (/docker login|unauthorized|authentication required|no basic auth|denied|forbidden/i.test(words)) {
    return `Check the name. If the image is private, log in first: ${login}`
  }
  const isUnreachable =
    /no such host|server misbehaving|connection refused|timeout|deadline exceeded|unreachable|TLS handshake|EOF|i\/o/i
  if (isUnreachable.test(words)) {
    return (
      `The engine cannot reach ${host}. On a machine without that network, load the image another way ` +
      '(docker load), or build it: `build` needs no registry when its base image exists locally.'
    )
  }
  return undefined
}
