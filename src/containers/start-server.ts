import type { CallOptions, Engine } from '../engine/engine.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { Certificates } from './deliver-certificates.ts'
import { describeContainer, SECRETS_FOLDER, type SessionSettings } from './desire.ts'
import { explainTakenPort } from './port-holder.ts'
import type { SecretValues } from './secrets.ts'

export interface StartRequest {
  readonly server: Server
  readonly fleet: Fleet
  readonly image: string
  readonly digest: string
  readonly settings: SessionSettings
  readonly networkId: string
  readonly secrets: SecretValues
  /** Undefined for a fleet without certificates. */
  readonly certificates: Certificates | undefined
}

/** Every user of a server may read its secrets, as with Docker's own: the server decides who its users are. */
const SECRET_MODE = 0o444

/**
 * Creates and starts the container; `onCreated` is told before it is started.
 * Fails with NAME_TAKEN, IMAGE_NOT_FOUND, PORT_TAKEN, COMMAND_NOT_FOUND or START_FAILED.
 */
export async function startServer(
  request: StartRequest,
  engine: Engine,
  onCreated: () => void,
  options: CallOptions,
): Promise<string> {
  const { server, fleet, settings } = request
  try {
    const spec = describeContainer(server, fleet, request.image, settings, request.digest)
    options.signal?.throwIfAborted()
    // Not cancelled half-way: the engine makes the container all the same, and nobody would know its id.
    const id = await engine.createContainer(
      { ...spec, environment: fillSecrets(server, spec.environment, request.secrets) },
      { timeoutMs: options.timeoutMs },
    )
    onCreated()
    if (request.secrets.size > 0)
      await engine.putArchive(id, SECRETS_FOLDER, await packSecrets(request.secrets), options)
    if (request.certificates !== undefined) {
      // Few fleets have certificates.
      const { deliverCertificates } = await import('./deliver-certificates.ts')
      await deliverCertificates(id, request.certificates, server, fleet, engine, options)
    }
    await engine.startContainer(id, options)
    return id
  } catch (error) {
    throw await explainStartFailure(error, request, engine, options)
  }
}

async function packSecrets(secrets: SecretValues): Promise<Uint8Array> {
  // Few servers have secrets.
  const { packArchive } = await import('../files/pack-archive.ts')
  const entries = [...secrets].map(([path, text]) => ({ kind: 'text', path, mode: SECRET_MODE, text }) as const)
  return Buffer.concat(await packArchive(entries).toArray())
}

function fillSecrets(
  server: Server,
  environment: Readonly<Record<string, string>>,
  secrets: SecretValues,
): Record<string, string> {
  const filled = { ...environment }
  for (const [name, value] of server.environment) {
    if (value.kind === 'secret') filled[name] = secrets.get(value.secret) ?? ''
  }
  return filled
}

async function explainStartFailure(
  error: unknown,
  request: StartRequest,
  engine: Engine,
  options: CallOptions,
): Promise<unknown> {
  if (!isFailure(error)) return error
  const { server, fleet, settings } = request
  const about = { server: server.name, cause: error, output: error.output }
  switch (error.code) {
    case 'PORT_TAKEN':
      return explainTakenPort(error, server, fleet, engine, options)
    case 'NAME_TAKEN':
      return explainTakenName(error, request, engine, options)
    case 'COMMAND_NOT_FOUND':
      return new TestfleetError('COMMAND_NOT_FOUND', `${server.name}: ${error.message}`, {
        ...about,
        at: fleet.source.locate(['servers', server.name, keyOfProgram(server), 0]),
        hint: error.hint ?? 'Check the spelling of the command, and that the image has it.',
      })
    default:
      return new TestfleetError(error.code, `${server.name} of session ${settings.session}: ${error.message}`, {
        ...about,
        at: fleet.source.locate(['servers', server.name]),
        hint: error.hint,
      })
  }
}

/** The key whose first item is the program. */
function keyOfProgram(server: Server): keyof Server {
  if (server.entrypoint !== undefined) return 'entrypoint'
  return server.command === undefined ? 'image' : 'command'
}

/** Only a container that carries our labels is ever touched; one of that name that is not ours stays. */
async function explainTakenName(
  error: TestfleetError,
  { server, settings }: StartRequest,
  engine: Engine,
  options: CallOptions,
): Promise<TestfleetError> {
  const ours = await engine.listContainers({ [label.session]: settings.session }, options)
  const isOurs = ours.some((container) => container.labels[label.server] === server.name)
  return new TestfleetError('NAME_TAKEN', `the container ${settings.session}-${server.name} is there already`, {
    server: server.name,
    hint: isOurs
      ? 'Another call is working on this session: wait for it, or name another one with --session.'
      : 'It is not of testfleet. Rename or remove it, or name another session with --session.',
    cause: error,
  })
}
