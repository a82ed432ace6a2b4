import { CUT, stripControls } from '../formats/strip-controls.ts'
import type { FleetEvent } from '../model/events.ts'
import type { Operation } from '../model/plan.ts'
import type { NotedCheck, NotedEnd, NotedHook, NotedImage, NotedOperation, NotedPhase, Notes, Try } from './notes.ts'

/** From this number on, a list of tries only grows when the answer changes. */
const SINGLE_TRIES = 40
const MOST_TRIES = 80
/** Upper bound for tries, build steps and warnings together; with it, the file stays small enough to open. */
const MOST_ENTRIES = 5000
const LONGEST_TEXT = 300

/** Notes the events of a call, in bounded memory. */
export class Collector {
  readonly #phases: NotedPhase[] = [{ phase: 'load', fromMs: 0 }]
  readonly #operations = new Map<string, NotedOperation>()
  readonly #checks = new Map<string, Map<string, NotedCheck & { tries: Try[] }>>()
  readonly #images: NotedImage[] = []
  readonly #hooks: NotedHook[] = []
  readonly #ends: NotedEnd[] = []
  readonly #readyMs = new Map<string, number>()
  readonly #failed = new Map<string, string>()
  readonly #skipped = new Map<string, string>()
  readonly #warnings: string[] = []
  #session: string | undefined
  #entries = 0

  /** `atMs` is the time since the call began. */
  note(event: FleetEvent, atMs: number): void {
    switch (event.kind) {
      case 'sessionChosen':
        this.#session = event.session
        return
      case 'queued':
        this.#phases.push({ phase: 'queue', fromMs: atMs })
        return
      case 'phaseBegan':
        this.#phases.push({ phase: event.phase, fromMs: atMs })
        return
      case 'planned':
        for (const operation of event.plan.operations) this.#find(operation)
        return
      case 'operationBegan':
        this.#find(event.operation).fromMs = atMs
        return
      case 'operationEnded':
        Object.assign(this.#find(event.operation), { toMs: atMs, hasFailed: event.hasFailed })
        return
      case 'pulling':
        this.#findImage('pull', event, atMs)
        return
      case 'building':
        this.#noteStep(event, atMs)
        return
      case 'recordingPackages':
        this.#addStep(event, { title: 'recording the packages', fromMs: atMs, isCached: false })
        return
      case 'baking':
        this.#findImage('build', event, atMs)
        // Lines that a command prints are no steps.
        if (event.status !== undefined && !event.status.startsWith('|'))
          this.#addStep(event, { title: shorten(event.status), fromMs: atMs, isCached: false })
        return
      case 'pulled':
      case 'built':
      case 'baked':
        this.#findImage(event.kind === 'pulled' ? 'pull' : 'build', event, atMs).toMs = atMs
        return
      default:
        this.#noteServer(event, atMs)
    }
  }

  #noteServer(event: FleetEvent, atMs: number): void {
    switch (event.kind) {
      case 'waiting':
        this.#noteAnswer(event, atMs)
        return
      case 'holds':
        this.#notePass(event, atMs)
        return
      case 'hook':
        if (!this.#hasRoom()) return
        this.#hooks.push({ server: event.server, title: shorten(`${event.hook} ${event.command}`), fromMs: atMs })
        return
      case 'stopping':
      case 'removing':
        this.#ends.push({ server: event.server, kind: endKinds[event.kind], fromMs: atMs, toMs: undefined })
        return
      case 'stopped':
      case 'removed':
        this.#noteEnd(event.server, endKinds[event.kind], atMs)
        return
      case 'ready':
        this.#readyMs.set(event.server, atMs)
        return
      case 'failed':
        for (const server of event.servers) this.#failed.set(server, shorten(event.message))
        return
      case 'skipped':
        this.#skipped.set(event.server, shorten(event.because))
        return
      case 'warned':
        if (this.#hasRoom()) this.#warnings.push(shorten(event.message))
        return
    }
  }

  read(): Notes {
    return {
      phases: this.#phases,
      operations: [...this.#operations.values()],
      checks: new Map([...this.#checks].map(([server, checks]) => [server, [...checks.values()]])),
      images: this.#images,
      hooks: this.#hooks,
      ends: this.#ends,
      readyMs: this.#readyMs,
      failed: this.#failed,
      skipped: this.#skipped,
      warnings: this.#warnings,
      session: this.#session,
    }
  }

  #hasRoom(): boolean {
    this.#entries++
    return this.#entries <= MOST_ENTRIES
  }

  #find(operation: Operation): NotedOperation {
    const known = this.#operations.get(operation.id) ?? describe(operation)
    this.#operations.set(operation.id, known)
    return known
  }

  #findImage(
    kind: NotedImage['kind'],
    { reference, servers }: Pick<NotedImage, 'reference' | 'servers'>,
    atMs: number,
  ): NotedImage & { steps: NotedImage['steps'][number][] } {
    const isIt = (image: NotedImage): boolean =>
      image.kind === kind && image.reference === reference && image.toMs === undefined
    const known = this.#images.find(isIt)
    const image = known ?? { kind, reference, servers, fromMs: atMs, toMs: undefined, steps: [] }
    if (known === undefined) this.#images.push(image)
    return image as typeof image & { steps: NotedImage['steps'][number][] }
  }

  #noteStep(event: Extract<FleetEvent, { kind: 'building' }>, atMs: number): void {
    this.#findImage('build', event, atMs)
    if (event.step === undefined) return
    const { number, total, text, isCached } = event.step
    this.#addStep(event, { title: shorten(`${number}/${total} ${text}`), fromMs: atMs, isCached })
  }

  #addStep(image: Pick<NotedImage, 'reference' | 'servers'>, step: NotedImage['steps'][number]): void {
    const { steps } = this.#findImage('build', image, step.fromMs)
    // A builder may report a step again once it knows that it is cached.
    const known = steps.findIndex(({ title }) => title === step.title)
    if (known !== -1) steps[known] = { ...step, fromMs: steps[known]?.fromMs ?? step.fromMs }
    else if (this.#hasRoom()) steps.push(step)
  }

  #findCheck(server: string, name: string, atMs: number) {
    const checks = this.#checks.get(server) ?? new Map<string, NotedCheck & { tries: Try[] }>()
    this.#checks.set(server, checks)
    const title = shorten(name)
    const known = checks.get(title) ?? { name: title, fromMs: atMs, passedMs: undefined, tries: [] }
    checks.set(title, known)
    return known
  }

  #noteAnswer({ server, check, answer, tookMs = 0 }: Extract<FleetEvent, { kind: 'waiting' }>, atMs: number): void {
    const { tries } = this.#findCheck(server, check, atMs)
    if (answer === undefined) return
    this.#add(tries, {
      fromMs: Math.max(0, atMs - tookMs),
      toMs: atMs,
      answer: shorten(answer),
      count: 1,
      isPassed: false,
    })
  }

  #notePass({ server, check, tookMs = 0 }: Extract<FleetEvent, { kind: 'holds' }>, atMs: number): void {
    const known = this.#findCheck(server, check, atMs)
    known.passedMs = atMs
    // The try that passes is always kept.
    known.tries.push({ fromMs: Math.max(0, atMs - tookMs), toMs: atMs, answer: 'passes', count: 1, isPassed: true })
  }

  #add(tries: Try[], next: Try): void {
    const last = tries.at(-1)
    const isFull = tries.length >= MOST_TRIES || !this.#hasRoom()
    const isSame = last?.answer === next.answer && tries.length >= SINGLE_TRIES
    if (last !== undefined && (isFull || isSame)) {
      tries[tries.length - 1] = { ...next, fromMs: last.fromMs, count: last.count + 1 }
    } else tries.push(next)
  }

  #noteEnd(server: string, kind: NotedEnd['kind'], atMs: number): void {
    const known = this.#ends.findLast((end) => end.server === server && end.kind === kind && end.toMs === undefined)
    if (known !== undefined) known.toMs = atMs
  }
}

const endKinds = { stopping: 'stop', stopped: 'stop', removing: 'remove', removed: 'remove' } as const

function describe(operation: Operation): NotedOperation {
  const { id, kind, needs } = operation
  const servers = 'servers' in operation ? operation.servers : 'server' in operation ? [operation.server] : []
  return { id, kind, needs, servers, about: nameSubject(operation), ...notBegun }
}

const notBegun = { fromMs: undefined, toMs: undefined, hasFailed: false }

function nameSubject(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
    case 'bakeImage':
      return shorten(operation.reference)
    case 'buildImage':
      return shorten(operation.build.reference)
    case 'createVolume':
    case 'removeVolume':
      return operation.volume
    case 'runHooks':
      return operation.hook
    default:
      return ''
  }
}

/** On one line: texts of servers can be long, and can have control characters in them. */
function shorten(text: string): string {
  const line = stripControls(text.replace(/\s+/g, ' ')).trim()
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}${CUT}` : line
}
