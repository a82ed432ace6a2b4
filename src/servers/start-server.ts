import type { CallOptions } from '../engine/engine.ts'
import type { ProgramNames } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { Certificates } from './certificates.ts'
import { describeContainer, type SessionSettings } from './describe-server.ts'
import { explainDevice } from './devices.ts'
import { applyKeptPorts, type KeptPorts } from './kept-ports.ts'
import type { PortContext } from './port-holder.ts'
import type { SecretValues } from './secrets.ts'
import { shareNumbers } from './shared-ports.ts'

/** Everything needed to start one server. */
export interface StartRequest extends PortContext {
  readonly server: Server
  readonly fleet: Fleet
  /** Reference of the image. */
  readonly image: string
  readonly digest: string
  readonly settings: SessionSettings
  readonly secrets: SecretValues
  /** Host ports that the server had before; it gets them again if they are free. */
  readonly keptPorts: KeptPorts
  /** Variables of a process besides its own. */
  readonly variables?: Readonly<Record<string, string>> | undefined
  /** The servers that a process reaches by their names. */
  readonly names?: ProgramNames | undefined
  /** Certificates to deliver; undefined when the fleet has none. */
  readonly certificates: Certificates | undefined
}

/** Creates the container and returns its id. Fails with NAME_TAKEN, IMAGE_NOT_FOUND or START_FAILED. */
export async function createServer(request: StartRequest, options: CallOptions): Promise<string> {
  const { server, fleet, image, settings, digest, secrets, runtime } = request
  options.signal?.throwIfAborted()
  const spec = describeContainer(server, fleet, image, settings, digest)
  const environment = { ...request.variables, ...fillSecrets(server, spec.environment, secrets) }
  const ports = shareNumbers(applyKeptPorts(spec.ports, request.keptPorts))
  const process = spec.process && { ...spec.process, names: request.names }
  return explaining(request, options, () => runtime.createServer({ ...spec, process, environment, ports }, options))
}

/** Copies secrets and certificates into a container that has not started. */
export async function deliverFiles(id: string, request: StartRequest, options: CallOptions): Promise<void> {
  const { server, fleet, secrets, certificates, runtime } = request
  await explaining(request, options, async () => {
    // Loaded on demand: many servers have no secrets, and most fleets have no certificates.
    const { describeSecrets, putFiles } = await import('./put-files.ts')
    const files = describeSecrets(secrets)
    if (certificates !== undefined) {
      const { describeCertificates } = await import('./certificates.ts')
      files.push(...(await describeCertificates(id, certificates, server, fleet, runtime, options)))
    }
    await putFiles(id, files, server, runtime, options)
  })
}

/** Starts the container. Fails with PORT_TAKEN, COMMAND_NOT_FOUND or START_FAILED. */
export async function startServer(id: string, request: StartRequest, options: CallOptions): Promise<void> {
  await explaining(request, options, () => request.runtime.startServer(id, options))
}

export function fillSecrets(
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

/** Adds the server and its line in the fleet file to failures of `work`. */
async function explaining<Result>(
  request: StartRequest,
  options: CallOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw isFailure(error) ? await explainFailure(error, request, options) : error
  }
}

async function explainFailure(
  error: TestfleetError,
  request: StartRequest,
  options: CallOptions,
): Promise<TestfleetError> {
  const { server, fleet, settings } = request
  // The failure already names its server.
  if (error.server !== undefined) return error
  const device = explainDevice(error.message, server, fleet)
  if (device !== undefined) return device
  const about = { server: server.name, cause: error, output: error.output, hint: error.hint }
  switch (error.code) {
    case 'PORT_TAKEN': {
      const { explainOwnPort, explainTakenPort } = await import('./port-holder.ts')
      const explain = server.runs.kind === 'process' ? explainOwnPort : explainTakenPort
      return explain(error, server, fleet, request, options)
    }
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
      })
  }
}

/** Returns the key whose first item is the program. */
function keyOfProgram(server: Server): string {
  if (server.runs.kind === 'process') return 'process'
  if (server.entrypoint !== undefined) return 'entrypoint'
  return server.command === undefined ? 'image' : 'command'
}
