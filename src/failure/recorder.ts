import type { FleetEvent, OnEvent } from '../model/events.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { DesiredImage, Plan } from '../model/plan.ts'
import type { Certificates } from '../servers/certificates.ts'
import type { SecretValues } from '../servers/secrets.ts'
import { type BoundedList, createBoundedList, type Kept } from './bounded-list.ts'
import { createMask, type Mask } from './mask.ts'

/** Limit in characters, for each image's build output, for each server's probes, and for all other events. */
const MAX_SIZE = 2_000_000

export interface Noted<Thing> {
  readonly atMs: number
  readonly what: Thing
}

export interface ProbeNote {
  readonly check: string
  readonly answer: string
}

/** Plan, images and secrets of a call, known before anything is created. */
export interface RecordedCall {
  readonly fleet: Fleet
  readonly plan: Plan
  /** Desired images, by server. */
  readonly images: ReadonlyMap<string, DesiredImage>
  /** Secrets that this call has read or generated, by server. */
  readonly secrets: ReadonlyMap<string, SecretValues>
  readonly certificates: ReadonlyMap<string, Certificates>
}

/** Returns everything to mask: secrets, and private keys of certificates. */
export function secretsOf({ fleet, secrets, certificates }: RecordedCall): string[] {
  return [
    ...[...secrets].flatMap(([server, values]) => hiddenValues(values, fleet.servers.get(server))),
    ...[...certificates.values()].flatMap(({ own }) => (own === undefined ? [] : [bodyOf(own.key)])),
  ]
}

/**
 * Leaves out secrets that are written in the fleet file: a password such as `guest` would mask that word everywhere.
 */
export function hiddenValues(values: SecretValues, server: Server | undefined): string[] {
  return [...values].flatMap(([name, value]) => (server?.secrets.get(name)?.kind === 'value' ? [] : [value]))
}

/** Returns the body of a PEM key; the first and last line are the same in every key. */
export function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[A-Z ]+-----/g, '').trim()
}

export interface RecorderOptions {
  /** Absolute path of the archive to which the failure bundle is written too, if any. */
  readonly archive?: string | undefined
  readonly now?: () => number
}

/**
 * Records the events of one call with their times, so that a failure can be explained from its beginning. Memory is
 * bounded: when there are too many events, those in the middle are dropped and counted.
 */
export class Recorder {
  readonly archive: string | undefined
  readonly startedAtMs: number
  readonly #now: () => number
  readonly #thrown = new AbortController()
  #call: RecordedCall | undefined
  #openMask: (() => Mask) | undefined
  readonly #events = createBoundedList<Noted<object>>(MAX_SIZE, ({ what }) => JSON.stringify(what).length)
  readonly #builds = new Map<string, { servers: Set<string>; lines: BoundedList<Noted<string>> }>()
  readonly #probes = new Map<string, BoundedList<Noted<ProbeNote>>>()
  readonly #lastAnswers = new Map<string, Map<string, string>>()

  constructor({ archive, now = Date.now }: RecorderOptions = {}) {
    this.archive = archive
    this.#now = now
    this.startedAtMs = now()
  }

  /** Returns a recorder for another call that knows the same secrets. */
  another(): Recorder {
    const recorder = new Recorder({ now: this.#now })
    if (this.#call !== undefined) recorder.begin(this.#call)
    return recorder
  }

  get call(): RecordedCall | undefined {
    return this.#call
  }

  /** Sets the call's plan, images and secrets. Its secrets are masked from here on. */
  begin(call: RecordedCall): void {
    this.#call = call
    let mask: Mask | undefined
    this.#openMask = () => {
      // Created with the first output of a server, because large secrets take a while.
      mask ??= createMask(secretsOf(call))
      return mask
    }
  }

  /** Masks the secrets of the call, as far as they are known. */
  mask(text: string): string {
    return this.#openMask?.().text(text) ?? text
  }

  /** Returns a listener that records each event and passes it on. An error of `onEvent` is kept in `thrown`. */
  listen(onEvent: OnEvent): OnEvent {
    return (told) => {
      const event = this.#masked(told)
      this.#note(event)
      try {
        onEvent(event)
      } catch (error) {
        this.#thrown.abort(error)
      }
    }
  }

  /**
   * Fires with the first error that the listener throws. The call then ends as if it had been cancelled with that
   * error.
   */
  get thrown(): AbortSignal {
    return this.#thrown.signal
  }

  /** Adds the listener's error to the error of a failed call, so that it is not lost. */
  addThrown(error: unknown): unknown {
    const { aborted, reason } = this.thrown
    return !aborted || error === reason
      ? error
      : new AggregateError([error, reason], 'the event listener also threw an error')
  }

  /** Answers of servers, output and messages can contain secrets, and are shown while the call works. */
  #masked(event: FleetEvent): FleetEvent {
    if (this.#openMask === undefined) return event
    const mask = (text: string): string => this.mask(text)
    switch (event.kind) {
      case 'waiting':
        return event.answer === undefined ? event : { ...event, answer: mask(event.answer) }
      case 'buildOutput':
      case 'hookOutput':
        return { ...event, line: mask(event.line) }
      case 'hook':
        return { ...event, command: mask(event.command) }
      case 'building':
        return event.step === undefined ? event : { ...event, step: { ...event.step, text: mask(event.step.text) } }
      case 'failed':
      case 'warned':
      case 'noted':
        return { ...event, message: mask(event.message) }
      default:
        return event
    }
  }

  get events(): Kept<Noted<object>> {
    return this.#events.read()
  }

  /** Returns the build output of the images that a server uses, by reference. */
  buildsOf(server: string): ReadonlyMap<string, Kept<Noted<string>>> {
    const builds = [...this.#builds].filter(([, { servers }]) => servers.has(server))
    return new Map(builds.map(([reference, { lines }]) => [reference, lines.read()]))
  }

  probesOf(server: string): Kept<Noted<ProbeNote>> | undefined {
    return this.#probes.get(server)?.read()
  }

  /** Returns the last answer of each check of a server. */
  lastAnswersOf(server: string): ReadonlyMap<string, string> {
    return this.#lastAnswers.get(server) ?? new Map()
  }

  #note(event: FleetEvent): void {
    switch (event.kind) {
      case 'planned':
        // A plan contains the content of builds, and the bundle has a file for it.
        this.#addEvent({ kind: event.kind, operations: event.plan.operations.map(({ id }) => id) })
        return
      case 'operationBegan':
        this.#addEvent({ kind: event.kind, operation: event.operation.id })
        return
      case 'operationEnded':
        this.#addEvent({ kind: event.kind, operation: event.operation.id, hasFailed: event.hasFailed })
        return
      case 'buildOutput':
        this.#addBuildLine(event, event.line)
        return
      case 'building':
        if (event.step !== undefined) {
          const { number, total, text, isCached } = event.step
          this.#addBuildLine(event, `[${number}/${total}] ${text}${isCached ? ' (cached)' : ''}`)
        }
        break
      case 'waiting':
        this.#addProbe(event.server, event.check, event.answer ?? 'asked for the first time')
        return
      case 'holds':
        this.#addProbe(event.server, event.check, 'passes')
        return
    }
    this.#addEvent(event)
  }

  #addEvent(what: object): void {
    this.#events.add({ atMs: this.#now(), what })
  }

  #addBuildLine(about: { readonly reference: string; readonly servers: readonly string[] }, line: string): void {
    const known = this.#builds.get(about.reference)
    const build = known ?? {
      servers: new Set(),
      lines: createBoundedList<Noted<string>>(MAX_SIZE, ({ what }) => what.length),
    }
    this.#builds.set(about.reference, build)
    for (const server of about.servers) build.servers.add(server)
    build.lines.add({ atMs: this.#now(), what: line })
  }

  #addProbe(server: string, check: string, answer: string): void {
    const sizeOf = ({ what }: Noted<ProbeNote>): number => what.check.length + what.answer.length
    const probes = this.#probes.get(server) ?? createBoundedList<Noted<ProbeNote>>(MAX_SIZE, sizeOf)
    this.#probes.set(server, probes)
    probes.add({ atMs: this.#now(), what: { check, answer } })
    const answers = this.#lastAnswers.get(server) ?? new Map<string, string>()
    this.#lastAnswers.set(server, answers.set(check, answer))
  }
}
