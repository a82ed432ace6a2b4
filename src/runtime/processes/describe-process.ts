import type { ContainerDetails, ContainerSpec, ContainerSummary, ProcessSpec } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import { type Labels, label } from '../../model/labels.ts'
import { graceOf } from '../runtime.ts'
import { KILLED, type ProgramSpec, type ServerState } from './protocol.ts'
import { makeProcessId, type ServerCard } from './server-folder.ts'

/** Variable of the guard of a `run` around this call, which would end the server together with its command. */
const GUARD_VARIABLE = 'TESTFLEET_COMMAND'

/** `engine` is the URL of the engine that has the session's record. */
export function toCard(spec: ContainerSpec, command: readonly string[], engine: string): ServerCard {
  const published = spec.ports.map(({ container, protocol, host, address }) => {
    return { container, protocol, address, port: host ?? container }
  })
  const { name, labels } = spec
  return { id: makeProcessId(), name, labels, command, published, createdAtMs: Date.now(), engine }
}

export function toProgram(
  { environment, restarts = 0, labels, stopSignal = 'SIGTERM' }: ContainerSpec,
  { command, folder, names }: ProcessSpec,
  { published }: ServerCard,
): ProgramSpec {
  const { [GUARD_VARIABLE]: _, ...variables } = environment
  const stop = { stopSignal: stopSignal as NodeJS.Signals, stopGraceMs: graceOf({ labels }) }
  return { command, folder, environment: variables, names, ports: published, restarts, ...stop }
}

/** Whether a server has these labels. A request without an id of one session or change means those of one engine. */
export function isWanted(card: ServerCard, labels: Labels, engine: string): boolean {
  const isOfOne = [label.session, label.change].some((key) => (labels[key] ?? '') !== '')
  if (!isOfOne && card.engine !== engine) return false
  return Object.entries(labels).every(([key, value]) =>
    value === '' ? Object.hasOwn(card.labels, key) : card.labels[key] === value,
  )
}

/** Without its supervisor, `state` is undefined, and the program has been killed, too. */
export function toSummary(card: ServerCard, state: ServerState | undefined): ContainerSummary {
  const { id, name, labels, command, published, createdAtMs } = card
  return {
    ...{ id, name, labels, published, createdAtMs },
    ...{ imageId: '', image: command[0] ?? '', networks: [], state: state?.state ?? 'exited' },
    isRestarting: state?.isRestarting === true,
  }
}

const dead: Omit<ServerState, 'program'> = {
  state: 'exited',
  exitCode: KILLED,
  restarts: 0,
  isRestarting: false,
  startedAtMs: 0,
  endedAtMs: 0,
}

export function toDetails(card: ServerCard, found: ServerState | undefined): ContainerDetails {
  const { program, ...state } = found ?? { ...dead, program: undefined }
  const environment = program?.environment ?? {}
  const { exitCode, restarts, isRestarting, processId, startedAtMs, endedAtMs } = state
  return {
    ...toSummary(card, found),
    ...{ exitCode, restarts, isRestarting, processId, startedAtMs, endedAtMs, environment },
    ...{ user: '', mounts: [], isOutOfMemory: false, memoryBytes: undefined, health: 'none' },
    error: found === undefined ? 'its supervisor was killed' : '',
    // Values of variables can be secrets.
    raw: { ...card, state, folder: program?.folder, variables: Object.keys(environment) },
  }
}

export function notFound(id: string): TestfleetError {
  return new TestfleetError('NOT_FOUND', `there is no server ${id}`)
}
