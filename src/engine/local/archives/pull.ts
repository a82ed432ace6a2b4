import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { parseImageReference } from '../../../formats/image-reference.ts'
import { TestfleetError } from '../../../model/failures.ts'
import { say } from '../../../model/surface.ts'
import type { CallOptions } from '../../engine.ts'
import type { PullRequest } from '../../image-types.ts'
import { hasLayer, openWorkshop, readSize } from '../build/layer.ts'
import { findProgram } from '../find-program.ts'
import { familiar, recordPath } from '../images/find-image.ts'
import { nameImage } from '../images/references.ts'
import { lastWords, runProgram } from '../programs.ts'
import { makeFolder, newId, writeRecord } from '../store.ts'
import type { ImageRecord, Local } from '../types.ts'
import { ARCHITECTURE } from './image-json.ts'
import { loadImages } from './load-images.ts'
import { unpackLayer } from './unpack-layer.ts'

/** Tags of the image `debian`, without `-slim`, and the suite that each stands for. */
const SUITES: Readonly<Record<string, string>> = {
  ...{ bullseye: 'bullseye', bookworm: 'bookworm', trixie: 'trixie', sid: 'sid' },
  ...{ 11: 'bullseye', 12: 'bookworm', 13: 'trixie', stable: 'stable', unstable: 'sid' },
}

/** Programs that fetch much have no deadline of their own: the signal ends them. */
const NO_DEADLINE_MS = 2 ** 31 - 1

/**
 * Gets an image: Debian's base from the distribution's packages, another one from its registry with skopeo. PULL_FAILED,
 * IMAGE_NOT_FOUND.
 */
export async function pullImage(
  local: Local,
  reference: string,
  { onProgress }: PullRequest,
  { signal }: CallOptions = {},
): Promise<void> {
  const name = familiar(reference)
  const suite = suiteOf(name)
  onProgress?.({
    status: suite === undefined ? 'pulling' : "made from Debian's packages",
    currentBytes: 0,
    totalBytes: 0,
  })
  if (suite !== undefined && (await findProgram('mmdebstrap')) !== undefined)
    return makeBase(local, name, suite, signal)
  if ((await findProgram('skopeo')) === undefined) throw cannotPull(name, suite)
  await copyFromRegistry(local, name, signal)
}

function suiteOf(name: string): string | undefined {
  const [, tag = ''] = /^debian:([a-z0-9]+?)(?:-slim)?$/.exec(name) ?? []
  return Object.hasOwn(SUITES, tag) ? SUITES[tag] : undefined
}

function cannotPull(name: string, suite: string | undefined): TestfleetError {
  const tool = suite === undefined ? 'skopeo' : 'mmdebstrap'
  return new TestfleetError('PULL_FAILED', `the image ${name} could not be pulled: ${tool} is not installed`, {
    hint: `Install the package ${tool}, or load the image from an archive (${say('loadImages')}).`,
  })
}

async function makeBase(local: Local, name: string, suite: string, signal: AbortSignal | undefined): Promise<void> {
  const workshop = await openWorkshop(local)
  try {
    const archive = join(workshop.folder, 'base.tar')
    const words = ['--variant=minbase', '--include=ca-certificates', '--format=tar', suite, archive]
    const request = { arguments: words, signal, timeoutMs: NO_DEADLINE_MS, environment: { TMPDIR: workshop.folder } }
    const { exitCode, stderr } = await runProgram(local.machine, 'mmdebstrap', request)
    if (exitCode !== 0) {
      const why = `the image ${name} could not be made from Debian's packages: ${lastWords(stderr)}`
      throw new TestfleetError('PULL_FAILED', why, {
        hint: "Check that this machine reaches a mirror of Debian's packages.",
      })
    }
    const layer = newId()
    await makeFolder(local.store.path('layers'))
    await unpackLayer(local, workshop, createReadStream(archive), { id: layer, below: [], digest: undefined }, signal)
    if (!(await hasLayer(local, layer))) throw new TestfleetError('PULL_FAILED', `the image ${name} is gone again`)
    await keepBase(local, name, layer)
  } finally {
    await workshop.close()
  }
}

async function keepBase(local: Local, name: string, layer: string): Promise<void> {
  const id = `sha256:${createHash('sha256').update(`base ${layer}`).digest('hex')}`
  const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']
  const config = { environment, command: ['bash'], labels: {}, volumes: [], exposed: [] }
  const sizeBytes = await readSize(local, layer)
  const image: ImageRecord = {
    id,
    createdAtMs: Date.now(),
    layers: [layer],
    config,
    sizeBytes,
    architecture: ARCHITECTURE,
  }
  await makeFolder(local.store.path('images'))
  await writeRecord(recordPath(local, id), image)
  await nameImage(local, name, id)
}

async function copyFromRegistry(local: Local, name: string, signal: AbortSignal | undefined): Promise<void> {
  const workshop = await openWorkshop(local)
  try {
    const archive = join(workshop.folder, 'pulled.tar')
    const host = parseImageReference(name).registry
    // As Docker: a registry on this machine needs no certificate.
    const plain = /^(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$/.test(host) ? ['--src-tls-verify=false'] : []
    const words = ['copy', ...plain, `docker://${name}`, `docker-archive:${archive}:${tagged(name)}`]
    const request = { arguments: words, signal, timeoutMs: NO_DEADLINE_MS, environment: { TMPDIR: workshop.folder } }
    const { exitCode, stderr } = await runProgram(local.machine, 'skopeo', request)
    if (exitCode !== 0) throw explainPull(name, host, lastWords(stderr))
    const loaded = await loadImages(local, createReadStream(archive), signal ? { signal } : {})
    const [first] = loaded
    if (first === undefined)
      throw new TestfleetError('PULL_FAILED', `the registry ${host} has sent no image for ${name}`)
  } finally {
    await workshop.close()
  }
}

function tagged(name: string): string {
  return name.includes('@') ? `${name.split('@', 1)[0]}:latest` : name
}

function explainPull(name: string, host: string, words: string): TestfleetError {
  if (/manifest unknown|name unknown|not found|does not exist/i.test(words))
    return new TestfleetError('IMAGE_NOT_FOUND', `the image ${name} is not in the registry ${host}: ${words}`)
  return new TestfleetError('PULL_FAILED', `the image ${name} could not be pulled: ${words}`, {
    hint: `Check the name and that this machine reaches ${host}; without a network, load the image from an archive (${say('loadImages')}).`,
  })
}
