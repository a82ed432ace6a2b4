import type { FleetEvent, ImageEvent, ServerEvent, SessionEvent } from '../model/events.ts'
import type { Operation } from '../model/plan.ts'
import type { ServerChange } from '../runtime/runtime.ts'
import type { EventData, EventKind, PlannedChange, ServerEventKind } from './events.ts'

/** Kind and data of a public event. */
export type EventBody = { [Kind in EventKind]: { readonly kind: Kind; readonly data: EventData[Kind] } }[EventKind]

/** Returns the public event for an internal one; undefined for one that is not public. Only this file knows both. */
export function mapEvent(event: FleetEvent): EventBody | undefined {
  switch (event.kind) {
    case 'planned':
      return {
        kind: 'plan.made',
        data: { changes: event.plan.operations.flatMap((operation) => describeChange(operation, event.plan.session)) },
      }
    case 'networkCreated':
    case 'networkRemoved':
      return { kind: dotted(event.kind), data: { network: event.network } }
    case 'volumeCreated':
    case 'volumeRemoved':
      return { kind: dotted(event.kind), data: { volume: event.volume } }
    case 'bundled': {
      const { folder, archive } = event
      return { kind: 'bundle.written', data: archive === undefined ? { folder } : { folder, archive } }
    }
    case 'warned':
      return { kind: 'warning', data: { message: event.message } }
    case 'noted':
      return { kind: 'note', data: { message: event.message } }
    case 'phaseBegan':
    case 'operationBegan':
    case 'operationEnded':
    case 'recordingPackages':
      return undefined
    case 'sessionChosen':
    case 'queued':
    case 'rollingBack':
    case 'kept':
    case 'swept':
      return mapSessionEvent(event)
    case 'pulling':
    case 'pulled':
    case 'building':
    case 'buildOutput':
    case 'built':
    case 'baking':
    case 'baked':
    case 'imageRemoved':
      return mapImageEvent(event)
    default:
      return mapServerEvent(event)
  }
}

const dottedKinds = {
  networkCreated: 'network.created',
  networkRemoved: 'network.removed',
  volumeCreated: 'volume.created',
  volumeRemoved: 'volume.removed',
} as const

function dotted<Kind extends keyof typeof dottedKinds>(kind: Kind): (typeof dottedKinds)[Kind] {
  return dottedKinds[kind]
}

function mapSessionEvent(event: SessionEvent): EventBody | undefined {
  switch (event.kind) {
    case 'sessionChosen':
      return undefined
    case 'queued':
      return { kind: 'session.waiting', data: { holder: event.behind } }
    case 'rollingBack':
      return { kind: 'session.undoing', data: { servers: event.servers } }
    case 'kept':
      return { kind: 'session.kept', data: { servers: event.servers } }
    case 'swept':
      return { kind: 'session.cleaned', data: { removed: event.servers, putBack: event.back } }
  }
}

function mapImageEvent(event: ImageEvent): EventBody {
  const { reference: image } = event
  if (event.kind === 'imageRemoved') return { kind: 'image.removed', data: { image } }
  const about = { image, servers: event.servers }
  switch (event.kind) {
    case 'pulling':
      return { kind: 'image.pulling', data: { ...about, status: event.status } }
    case 'pulled':
      return { kind: 'image.pulled', data: { ...about, elapsedMs: Math.round(event.elapsedMs) } }
    case 'building': {
      if (event.step === undefined) return { kind: 'image.building', data: about }
      const { isCached: cached, ...step } = event.step
      return { kind: 'image.building', data: { ...about, step: { ...step, cached } } }
    }
    case 'buildOutput':
      return { kind: 'image.output', data: { ...about, line: event.line } }
    case 'built':
      return { kind: 'image.built', data: { ...about, elapsedMs: Math.round(event.elapsedMs) } }
    case 'baking':
      return {
        kind: 'image.baking',
        data: event.status === undefined ? about : { ...about, status: event.status },
      }
    case 'baked':
      return { kind: 'image.baked', data: { ...about, elapsedMs: Math.round(event.elapsedMs) } }
  }
}

function mapServerEvent(event: ServerEvent): EventBody | undefined {
  if (event.kind === 'failed') {
    // A failure that concerns no server is in `operation.ended` alone.
    const [server] = event.servers
    return server === undefined ? undefined : { kind: 'server.failed', data: { server, message: event.message } }
  }
  const { server } = event
  switch (event.kind) {
    case 'created':
      return { kind: 'server.created', data: { server, container: event.container } }
    case 'waiting': {
      const { check, answer } = event
      const about = { server, check, ...describeTry(event) }
      return { kind: 'server.waiting', data: answer === undefined ? about : { ...about, answer } }
    }
    case 'holds':
      return { kind: 'server.checked', data: { server, check: event.check, ...describeTry(event) } }
    case 'ready': {
      const { elapsedMs, isKept: unchanged, isCompleted } = event
      const kind = isCompleted ? 'server.completed' : 'server.ready'
      return { kind, data: { server, elapsedMs: Math.round(elapsedMs), unchanged } }
    }
    case 'hook': {
      const { hook, number, total, command } = event
      return { kind: 'server.hook', data: { server, hook, number, total, command } }
    }
    case 'hookOutput':
      return { kind: 'server.hookOutput', data: { server, hook: event.hook, line: event.line } }
    case 'skipped':
      return { kind: 'server.skipped', data: { server, because: event.because } }
    case 'killed':
      return { kind: 'server.signalled', data: { server, signal: event.signal } }
    case 'starting':
    case 'started':
    case 'stopping':
    case 'stopped':
    case 'removing':
    case 'removed':
    case 'replaced':
    case 'paused':
    case 'resumed':
      return { kind: `server.${event.kind}`, data: { server } }
  }
}

function describeTry({ tookMs }: { readonly tookMs?: number }): { readonly elapsedMs?: number } {
  return tookMs === undefined ? {} : { elapsedMs: Math.round(tookMs) }
}

/** Returns the public event for what happened to a server. */
export function mapServerChange(change: ServerChange): Extract<EventBody, { readonly kind: ServerEventKind }> {
  const { server } = change
  switch (change.kind) {
    case 'created':
      return { kind: 'server.created', data: { server, container: change.id } }
    case 'exited':
      return { kind: 'server.exited', data: { server, exitCode: change.exitCode } }
    case 'signalled': {
      const { signal } = change
      return { kind: 'server.signalled', data: signal === undefined ? { server } : { server, signal } }
    }
    case 'started':
    case 'paused':
    case 'resumed':
    case 'removed':
    case 'outOfMemory':
    case 'healthy':
    case 'unhealthy':
      return { kind: `server.${change.kind}`, data: { server } }
  }
}

function describeChange(operation: Operation, session: string): PlannedChange[] {
  switch (operation.kind) {
    case 'pullImage':
      return [{ action: 'pull', subject: 'image', name: operation.reference }]
    case 'buildImage':
      return operation.references.map((name) => ({ action: 'build', subject: 'image', name }))
    case 'bakeImage':
      return [{ action: 'bake', subject: 'image', name: operation.reference, reason: operation.reason }]
    case 'createNetwork':
      return [{ action: 'create', subject: 'network', name: session }]
    case 'createVolume':
      return [{ action: 'create', subject: 'volume', name: operation.volume }]
    case 'stopServer':
      return [{ action: 'stop', subject: 'server', name: operation.server, reason: operation.reason }]
    case 'startServer':
      return [{ action: 'start', subject: 'server', name: operation.server, reason: operation.reason }]
    case 'keepServer':
      return [{ action: 'keep', subject: 'server', name: operation.server }]
    case 'saveRecord':
      return operation.updates.map(({ server: name, reason }) => ({
        action: 'update',
        subject: 'server',
        name,
        reason,
      }))
    case 'removeServer':
      return [{ action: 'remove', subject: 'server', name: operation.server, reason: operation.reason }]
    case 'removeNetwork':
      return [{ action: 'remove', subject: 'network', name: operation.network }]
    case 'removeVolume':
      return [{ action: 'remove', subject: 'volume', name: operation.volume }]
    case 'resumeServer':
      return [{ action: 'start', subject: 'server', name: operation.server, reason: operation.reason }]
    case 'runHooks':
      return operation.commands.map((command) => ({
        action: 'run',
        subject: 'server',
        name: operation.server,
        reason: `${operation.hook} ${command}`,
      }))
    case 'haltServer':
      return [{ action: 'stop', subject: 'server', name: operation.server }]
    case 'putBack':
      return [{ action: 'start', subject: 'server', name: operation.server }]
    case 'createServer':
    case 'deliverFiles':
    case 'awaitReady':
      return []
  }
}
