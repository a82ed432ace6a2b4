import { randomBytes } from 'node:crypto'
import { packTar, unpackTar } from 'modern-tar'
import { type ContainerSpec, type OutputChunk, plainContainer } from '../../model/container.ts'
import type { Labels } from '../../model/labels.ts'
import type { Engine, ExecRequest } from '../engine.ts'

/** An engine under test, with unique names and a clean-up of everything created. */
export interface Harness {
  readonly engine: Engine
  /** Image with a shell and perl that the engine has. */
  readonly image: string
  /** Network of all containers. */
  readonly network: string
  /** Labels of everything that is created here. */
  readonly labels: Labels
  name(): string
  spec(changes?: Partial<ContainerSpec>): ContainerSpec
  /** Creates and starts a container, and returns its id. */
  start(changes?: Partial<ContainerSpec>): Promise<string>
  /** Returns the id of a container that runs, and that all tests share: none may end it, pause it or rename it. */
  idle(): Promise<string>
  /** Runs shell text in a container. */
  shell(id: string, text: string, changes?: Partial<ExecRequest>): Promise<Finished>
  sweep(): Promise<void>
}

export interface Finished {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const label = 'dev.testfleet.conformance'

export async function openHarness(engine: Engine, image: string): Promise<Harness> {
  const run = randomBytes(4).toString('hex')
  const labels = { [label]: run }
  let count = 0
  const name = (): string => `conformance-${run}-${++count}`
  const network = name()
  await engine.createNetwork(network, labels)
  const spec = (changes: Partial<ContainerSpec> = {}): ContainerSpec => {
    const base = { ...emptySpec, name: name(), image, network: { name: network, aliases: [] }, ...changes }
    return { ...base, labels: { ...labels, ...changes.labels } }
  }
  const start = async (changes?: Partial<ContainerSpec>): Promise<string> => {
    const id = await engine.createContainer(spec(changes))
    await engine.startContainer(id)
    return id
  }
  let idle: Promise<string> | undefined
  return {
    engine,
    image,
    network,
    labels,
    name,
    spec,
    start,
    idle() {
      idle ??= start()
      return idle
    },
    shell: (id, text, changes) => finish(engine, id, { command: ['sh', '-c', text], ...changes }),
    sweep: () => sweep(engine, labels),
  }
}

const emptySpec: Omit<ContainerSpec, 'name' | 'image' | 'network' | 'labels'> = {
  ...plainContainer,
  hostname: 'server',
  command: ['sleep', 'infinity'],
  // With an init process, containers obey signals, so that no test waits for a kill.
  init: true,
}

async function finish(engine: Engine, id: string, request: ExecRequest): Promise<Finished> {
  const process = await engine.exec(id, request)
  const output = await readOutput(process.output)
  return { exitCode: await process.exitCode(), ...output }
}

export async function readOutput(chunks: AsyncIterable<OutputChunk>): Promise<{ stdout: string; stderr: string }> {
  const { stdout, stderr } = await readBytes(chunks)
  return { stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') }
}

export async function readBytes(chunks: AsyncIterable<OutputChunk>): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const parts: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] }
  for await (const { stream, bytes } of chunks) parts[stream].push(bytes)
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) }
}

/** Reads output until it contains this text. */
export async function readUntil(chunks: AsyncIterable<OutputChunk>, text: string): Promise<string> {
  let said = ''
  for await (const { bytes } of chunks) {
    said += Buffer.from(bytes).toString('utf8')
    if (said.includes(text)) return said
  }
  throw new Error(`the output ended without "${text}": ${said}`)
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

export function pack(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([name, content]) => {
    const body = typeof content === 'string' ? Buffer.from(content) : content
    return { header: { name, size: body.length, type: 'file' as const, mode: 0o644 }, body }
  })
  return packTar(entries)
}

export async function unpack(archive: Uint8Array): Promise<Record<string, Buffer>> {
  const entries = await unpackTar(archive)
  return Object.fromEntries(entries.flatMap(({ header, data }) => (data ? [[header.name, Buffer.from(data)]] : [])))
}

async function sweep(engine: Engine, labels: Labels): Promise<void> {
  const containers = await engine.listContainers(labels)
  await Promise.all(containers.map(({ id }) => engine.removeContainer(id)))
  const networks = await engine.listNetworks(labels)
  await Promise.all(networks.map(({ id }) => engine.removeNetwork(id).catch(acceptMiscounted)))
  const volumes = await engine.listVolumes(labels)
  await Promise.all(volumes.map((volume) => engine.removeVolume(volume.name)))
  const images = await engine.listImages(labels)
  for (const { id, references } of images) {
    for (const reference of references.length === 0 ? [id] : references) await engine.removeImage(reference)
  }
}

/** Ignores networks that the engine cannot remove before a restart: a bug of Docker Engine 20.10. */
export function acceptMiscounted(error: Error): void {
  const all: readonly Error[] = error.cause instanceof AggregateError ? error.cause.errors : [error]
  if (!all.every(({ message }) => message.includes('miscounted the endpoints'))) throw error
}
