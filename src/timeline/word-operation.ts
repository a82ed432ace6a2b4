import type { Phase } from '../model/events.ts'
import type { NotedOperation } from './notes.ts'
import type { SpanKind } from './timeline-model.ts'

interface Words {
  readonly kind: SpanKind
  /** In the row of a server or an image. */
  readonly title: string
  /** Without that row, such as `starting db`. */
  readonly whole: string
  /** What others wait for, after `waiting for`. */
  readonly awaited: string
}

/** Words an operation for the chart, for the critical path, and for those that wait for it. */
export function wordOperation({ kind, servers, about }: NotedOperation): Words {
  const who = servers.length > 3 ? `${servers.length} servers` : servers.join(', ')
  const image = servers.length === 1 ? `the image of ${who}` : `the image ${about}`
  switch (kind) {
    case 'pullImage':
      return { kind: 'image', title: 'pulling the image', whole: `pulling ${about}`, awaited: image }
    case 'buildImage':
      return { kind: 'image', title: 'building the image', whole: `building ${image}`, awaited: image }
    case 'bakeImage':
      return { kind: 'image', title: 'baking the image', whole: `baking ${image}`, awaited: image }
    case 'createNetwork':
      return same('own', 'creating the network', 'the network')
    case 'createVolume':
      return same('own', `creating the volume ${about}`, `the volume ${about}`)
    case 'saveRecord':
      return same('own', 'looking at all servers and saving the session', 'the record of the session')
    case 'removeNetwork':
      return same('stop', 'removing the network', 'the network to be removed')
    case 'removeVolume':
      return same('stop', `removing the volume ${about}`, `the volume ${about} to be removed`)
    case 'createServer':
      return ofServer('create', 'creating', who, `${who} to be created`)
    case 'deliverFiles':
      return {
        ...ofServer('create', 'delivering secrets and certificates', who, `${who} to get its files`),
        whole: `delivering secrets and certificates to ${who}`,
      }
    case 'startServer':
      return ofServer('start', 'starting', who, `${who} to be started`)
    case 'resumeServer':
      return ofServer('start', 'starting again', who, `${who} to be started again`)
    case 'runHooks':
      return { kind: 'hook', title: about, whole: `${about} commands of ${who}`, awaited: `${who} to be ready` }
    case 'awaitReady':
      return { kind: 'ready', title: 'ready checks', whole: `${who}'s ready checks`, awaited: `${who} to be ready` }
    case 'keepServer':
      return {
        kind: 'ready',
        title: 'checking; unchanged',
        whole: `checking ${who}, which is unchanged`,
        awaited: `${who} to be ready`,
      }
    case 'stopServer':
    case 'haltServer':
      return ofServer('stop', 'stopping', who, `the old ${who} to be stopped`)
    case 'removeServer':
      return ofServer('stop', 'removing the old one', who, `the old ${who} to be removed`)
    case 'putBack':
      return ofServer('start', 'putting back', who, `${who} to be put back`)
  }
}

function same(kind: SpanKind, title: string, awaited: string): Words {
  return { kind, title, whole: title, awaited }
}

function ofServer(kind: SpanKind, title: string, who: string, awaited: string): Words {
  return {
    kind,
    title,
    whole: title === 'removing the old one' ? `removing the old ${who}` : `${title} ${who}`,
    awaited,
  }
}

export const phaseTitles: Readonly<Record<Phase | 'queue', string>> = {
  load: 'reading the fleet file',
  sweep: 'cleaning up after dead calls',
  queue: 'waiting for another call that changes the session',
  plan: 'planning',
  begin: 'opening the session',
  carryOut: 'working on servers',
  finish: 'ending the change',
  bundle: 'writing the failure bundle',
  undo: 'undoing what was started',
  names: 'giving the command its names',
  command: 'the command',
  leave: 'leaving the session',
}
