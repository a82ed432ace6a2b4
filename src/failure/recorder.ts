import type { FleetEvent, OnEvent } from '../model/events.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { DesiredImage, Plan } from '../model/plan.ts'
import type { Certificates } from '../servers/certificates.ts'
import type { SecretValues } from '../servers/secrets.ts'
import { createMask, type Mask } from './mask.ts'

/** Characters kept of each image's build output, of each server's probes, and of all other events. */
const MAX_SIZE = 2_000_000

export interface Noted<Thing> {
  readonly atMs: number
  readonly what: Thing
}

export interface ProbeNote {
  readonly check: string
  readonly answer: string
}

/** What a call works on, known before anything is made. */
export interface Subject {
  readonly fleet: Fleet
  readonly plan: Plan
  /** By server. */
  readonly images: ReadonlyMap<string, DesiredImage>
  /** Those that this call has read or made, by server. */
  readonly secrets: ReadonlyMap<string, SecretValues>
  readonly certificates: ReadonlyMap<string, Certificates>
}

/** All that must not be said: secrets, and the keys of certificates. */
export function secretsOf({ fleet, secrets, certificates }: Subject): string[] {
  return [
    ...[...secrets].flatMap(([server, values]) => hiddenValues(values, fleet.servers.get(server))),
    ...[...certificates.values()].flatMap(({ own }) => (own === undefined ? [] : [bodyOf(own.key)])),
  ]
}

/** Without those that the fleet file itself has: a password such as `guest` would mask that word everywhere. */
export function hiddenValues(values: SecretValues, server: Server | undefined): string[] {
  return [...values].flatMap(([name, value]) => (server?.secrets.get(name)?.kind === 'value' ? [] : [value]))
}

/** The secret part of a key in PEM; its first and last line are in every one. */
export function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[A-Z ]+-----/g, '').trim()
}

export interface RecorderOptions {
  /** Where the bundle of a failure goes as one file too; an absolute path. */
  readonly archive?: string | undefined
  readonly now?: () => number
}

/**
 * Listens to the events of one call, and notes when each came, so that a failure can be explained from its beginning.
 * Its memory is bounded: of what is too much, the middle goes, and is counted.
 */
export class Recorder {
  readonly archive: string | undefined
  readonly startedAtMs: number
  readonly #now: () => number
  readonly #thrown = new AbortController()
  #subject: Subject | undefined
  #openMask: (() => Mask) | undefined
  readonly #events = keepBounded<Noted<object>>(MAX_SIZE, ({ what }) => JSON.stringify(what).length)
  readonly #builds = new Map<string, { servers: Set<string>; lines: BoundedList<Noted<string>> }>()
  readonly #probes = new Map<string, BoundedList<Noted<ProbeNote>>>()
  readonly #lastAnswers = new Map<string, Map<string, string>>()

  constructor({ archive, now = Date.now }: RecorderOptions = {}) {
    this.archive = archive
    this.#now = now
    this.startedAtMs = now()
  }

  get subject(): Subject | undefined {
    return this.#subject
  }

  /** From here on, secrets are known. */
  begin(subject: Subject): void {
    this.#subject = subject
    let mask: Mask | undefined
    this.#openMask = () => {
      // Made when a server first says something: large secrets take a while.
      mask ??= createMask(secretsOf(subject))
      return mask
    }
  }

  /** Notes what is told, and tells it on. A listener that throws stops nobody who tells; see `thrown`. */
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

  /** Fires with the first thing that the listener throws: the call then ends as if it had been cancelled with that. */
  get thrown(): AbortSignal {
    return this.#thrown.signal
  }

  /** What a call that failed rejects with: what the listener has thrown must not be lost. */
  addThrown(error: unknown): unknown {
    const { aborted, reason } = this.thrown
    return !aborted || error === reason
      ? error
      : new AggregateError([error, reason], 'the listener of events threw too')
  }

  /** What a server answers can hold its secrets, and is shown while it waits. */
  #masked(event: FleetEvent): FleetEvent {
    if (event.kind !== 'waiting' || event.answer === undefined || this.#openMask === undefined) return event
    return { ...event, answer: this.#openMask().text(event.answer) }
  }

  get events(): Kept<Noted<object>> {
    return this.#events.read()
  }

  /** The build output of the images that a server stands on, by reference. */
  buildsOf(server: string): ReadonlyMap<string, Kept<Noted<string>>> {
    const builds = [...this.#builds].filter(([, { servers }]) => servers.has(server))
    return new Map(builds.map(([reference, { lines }]) => [reference, lines.read()]))
  }

  probesOf(server: string): Kept<Noted<ProbeNote>> | undefined {
    return this.#probes.get(server)?.read()
  }

  /** What each check of a server answered last. */
  lastAnswersOf(server: string): ReadonlyMap<string, string> {
    return this.#lastAnswers.get(server) ?? new Map()
  }

  #note(event: FleetEvent): void {
    switch (event.kind) {
      case 'planned':
        // A plan holds the content of what is built; it has a file of its own.
        this.#addEvent({ kind: event.kind, operations: event.plan.operations.map(({ id }) => id) })
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
        this.#addProbe(event.server, event.check, 'holds')
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
      lines: keepBounded<Noted<string>>(MAX_SIZE, ({ what }) => what.length),
    }
    this.#builds.set(about.reference, build)
    for (const server of about.servers) build.servers.add(server)
    build.lines.add({ atMs: this.#now(), what: line })
  }

  #addProbe(server: string, check: string, answer: string): void {
    const sizeOf = ({ what }: Noted<ProbeNote>): number => what.check.length + what.answer.length
    const probes = this.#probes.get(server) ?? keepBounded<Noted<ProbeNote>>(MAX_SIZE, sizeOf)
    this.#probes.set(server, probes)
    probes.add({ atMs: this.#now(), what: { check, answer } })
    const answers = this.#lastAnswers.get(server) ?? new Map<string, string>()
    this.#lastAnswers.set(server, answers.set(check, answer))
  }
}

/** Keeps the first and the last of what may be too much, and counts what it lets go in between. */
export interface BoundedList<Item> {
  add(item: Item): void
  /** What is kept, with the count of what is missing in its place. */
  read(): Kept<Item>
}

export interface Kept<Item> {
  readonly first: readonly Item[]
  readonly droppedCount: number
  readonly last: readonly Item[]
}

/** Of all sizes together, at most `maxSize` is kept: a quarter for the first, the rest for the last. */
export function keepBounded<Item>(maxSize: number, sizeOf: (item: Item) => number): BoundedList<Item> {
  const first: Item[] = []
  let room = maxSize / 4
  let last: Item[] = []
  let lastSize = 0
  let start = 0
  let droppedCount = 0
  const shorten = (): void => {
    while (lastSize > (maxSize * 3) / 4 && start < last.length - 1) {
      lastSize -= sizeOf(last[start] as Item)
      start += 1
      droppedCount += 1
    }
    // Taking from the front of a long list moves all of it: done once in a while.
    if (start > 1000 && start > last.length / 2) {
      last = last.slice(start)
      start = 0
    }
  }
  return {
    add(item) {
      const size = sizeOf(item)
      if (room >= size && last.length === 0) {
        first.push(item)
        room -= size
        return
      }
      last.push(item)
      lastSize += size
      shorten()
    },
    read: () => ({ first, droppedCount, last: last.slice(start) }),
  }
}

/** As lines, with a line that tells of what is missing. */
export function toLines<Item>(
  { first, droppedCount, last }: Kept<Item>,
  format: (item: Item) => string,
  formatGap: (droppedCount: number) => string,
): string[] {
  return [...first.map(format), ...(droppedCount === 0 ? [] : [formatGap(droppedCount)]), ...last.map(format)]
}
