import { readSignal } from '../../formats/signal.ts'
import type { ContainerChange, ContainerEvent, FollowRange } from '../../model/container-event.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import type { CallOptions } from '../engine.ts'
import { type Client, labelFilter, type Maybe, type MaybeTexts } from './client.ts'
import { healthIn } from './dialect.ts'
import { readJsonLines } from './json-lines.ts'

/** An event. Docker up to 28 repeats `Action` as `status`, and `Actor.ID` as `id`. */
export interface EventJson extends MaybeTexts<'Type' | 'Action'> {
  readonly Actor?: Maybe<{ readonly ID?: Maybe<string>; readonly Attributes?: Maybe<Labels> }>
  readonly time?: Maybe<number>
  readonly timeNano?: Maybe<number>
}

/**
 * Follows events of containers. Without `untilMs` it has no deadline: nothing may happen for long, and an engine may send
 * no header before the first event; it then fails with ENGINE_LOST when the engine ends the answer. With `untilMs`, it fails
 * with ENGINE_TIMEOUT when the engine does not end the answer in time.
 */
export async function* followEvents(
  client: Client,
  labels: Labels,
  { sinceMs, untilMs }: FollowRange,
  options: CallOptions = {},
): AsyncGenerator<ContainerEvent, void, void> {
  const filters = JSON.stringify({ ...JSON.parse(labelFilter(labels)), type: ['container'] })
  const response = await client.openStream('GET /events', options, {
    query: { since: formatTime(sinceMs), until: formatEnd(untilMs), filters },
    ...(untilMs === undefined
      ? { deadline: 'none' }
      : { limitsWholeStream: true, moreMs: Math.max(0, untilMs - Date.now()) }),
  })
  try {
    for await (const line of readJsonLines<EventJson>(response.body)) {
      const event = readEvent(line)
      if (event !== undefined) yield event
    }
  } finally {
    response.drop()
  }
  if (untilMs === undefined) throw new TestfleetError('ENGINE_LOST', 'the engine has ended its stream of events')
}

/** Formats a time in seconds with nine decimals, as the engine expects. */
export function formatTime(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  const whole = Math.floor(ms)
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, '0')}000000`
}

/** Formats the end of a millisecond: an event that happened within it belongs to a range that ends with it. */
export function formatEnd(ms: number | undefined): string | undefined {
  return formatTime(ms === undefined ? undefined : ms + 1)
}

/** Returns the event of a line; undefined for what a container's life does not depend on, such as a command in it. */
export function readEvent(json: EventJson): ContainerEvent | undefined {
  const { Type: type, Action: action = '', Actor: actor, time, timeNano } = json
  const labels = actor?.Attributes ?? {}
  const change = readChange(action ?? '', labels)
  if (type !== 'container' || change === undefined || !actor?.ID) return undefined
  const atMs = timeNano ? timeNano / 1e6 : (time ?? 0) * 1000
  return { ...change, container: actor.ID, name: labels.name ?? '', labels, atMs }
}

function readChange(action: string, attributes: Labels): ContainerChange | undefined {
  switch (action) {
    case 'create':
      return { kind: 'created' }
    case 'start':
      return { kind: 'started' }
    case 'pause':
      return { kind: 'paused' }
    case 'unpause':
      return { kind: 'resumed' }
    case 'kill':
      return { kind: 'signalled', signal: readSignal(attributes.signal ?? '') }
    case 'die':
      return { kind: 'exited', exitCode: Number(attributes.exitCode) || 0 }
    case 'oom':
      return { kind: 'outOfMemory' }
    // Podman has another word.
    case 'destroy':
    case 'remove':
      return { kind: 'removed' }
    default:
      return healthIn(action, attributes)
  }
}
