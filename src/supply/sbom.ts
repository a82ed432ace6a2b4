import { prepareImages } from '../images/prepare-images.ts'
import { readFiles, readImage, readInstalled } from '../images/record-packages.ts'
import { referenceOf } from '../model/desired-image.ts'
import { TestfleetError } from '../model/failures.ts'
import { type Fleet, imageOf, type Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import { say } from '../model/surface.ts'
import { selectServers } from '../plan/reconcile.ts'
import { observeServers } from '../report/report.ts'
import { withScratch } from '../sessions/scratch.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { VERSION } from '../version.ts'
import { type BillSubject, describeBill, parseOsRelease } from './bill-of-materials.ts'

export interface SbomRequest {
  readonly fleet: Fleet
  readonly server: string
  /** Session in which the server may run. Its container is then read, and nothing is created. */
  readonly session: StoredRecord | undefined
}

/**
 * The bill of materials of a server's image, as a CycloneDX 1.6 document. Fails with UNKNOWN_SERVER, IMAGE_NOT_FOUND when
 * the image is not there yet, or NO_PACKAGE_DATABASE.
 */
export async function describeSbom({ fleet, server: name, session }: SbomRequest, tools: Tools): Promise<object> {
  const { engine, signal } = tools
  const server = selectServers(fleet, [name]).find((candidate) => candidate.name === name)
  if (server === undefined) throw new Error(`${name} was not selected`)
  if (imageOf(server) === undefined)
    throw new TestfleetError('USAGE', `${name} has no image: it does not run in a container`, { server: name })
  const { byServer } = await prepareImages(fleet, [server], engine, { signal })
  const prepared = byServer.get(name)
  if (prepared === undefined) throw new Error('no image was prepared')
  const reference = referenceOf(prepared.desired)
  const image = await engine.inspectImage(reference, { signal })
  if (image === undefined) throw isNotThere(server, reference)
  const read = (containerId: string): Promise<object> => describe(containerId, { ...image, reference }, name, tools)

  const observed = session && (await observeServers(session, tools.runtime, { signal }))
  const running = observed?.get(name)?.container
  if (running?.image === reference && running.state === 'running') return read(running.id)
  return withScratch(fleet, tools, (change) => {
    const labels = { [label.fleet]: fleet.name, [label.owner]: tools.host.owner, [label.change]: change }
    return readImage({ reference, platform: server.platform, labels }, engine, read, { signal })
  })
}

const MAX_OS_RELEASE_BYTES = 64 * 1024

type FoundImage = Pick<BillSubject, 'reference' | 'id' | 'createdAtMs'>

async function describe(containerId: string, image: FoundImage, server: string, tools: Tools): Promise<object> {
  const { engine, signal } = tools
  const packages = await readInstalled(containerId, engine, { signal })
  if (packages === undefined) throw hasNoDatabase(server, image.reference)
  const readSystem = (path: string): ReturnType<typeof readFiles> =>
    readFiles(containerId, path, MAX_OS_RELEASE_BYTES, engine, { signal })
  // /etc/os-release is a link to it on most systems.
  const files = (await readSystem('/usr/lib/os-release')) ?? (await readSystem('/etc/os-release'))
  const system = parseOsRelease([...(files?.values() ?? [])].join('\n'))
  return describeBill({ ...image, system, packages }, VERSION)
}

function isNotThere(server: Server, reference: string): TestfleetError {
  const { name } = server
  const how = imageOf(server)?.kind === 'built' ? say('build', name) : say('up', name)
  return new TestfleetError('IMAGE_NOT_FOUND', `the image of ${name} is not there yet: ${reference}`, {
    server: name,
    hint: `Get it with ${how}.`,
  })
}

function hasNoDatabase(server: string, reference: string): TestfleetError {
  return new TestfleetError('NO_PACKAGE_DATABASE', `the image ${reference} has no package database that is known`, {
    server,
    hint: "Only Debian's is: /var/lib/dpkg. Use another tool for an image that has apk, rpm or none.",
  })
}
