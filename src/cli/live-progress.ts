import type { WriteStream } from 'node:tty'
import type { PlannedChange, TestfleetEvent } from '../api/events.ts'
import { formatDuration } from '../formats/duration.ts'
import type { Palette } from './palette.ts'
import {
  formatBaking,
  formatHookStep,
  formatKilled,
  formatNotice,
  formatReady,
  formatStep,
  formatWaiting,
  isNotice,
  onOneLine,
  type Progress,
  shorten,
} from './plain-progress.ts'
import { cleanText } from './terminal-text.ts'

const FRAME_MS = 80

interface Line {
  text: string
  /** Time when its current state began; undefined once it is over. */
  since: number | undefined
}

/** One live line for each server, redrawn in place. */
export class LiveProgress implements Progress {
  readonly #terminal: WriteStream
  readonly #palette: Palette
  readonly #lines = new Map<string, Line>()
  #drawnRows = 0
  #timer: NodeJS.Timeout | undefined

  constructor(terminal: WriteStream, palette: Palette) {
    this.#terminal = terminal
    this.#palette = palette
  }

  onEvent(event: TestfleetEvent): void {
    if (isNotice(event)) this.#say(onOneLine(formatNotice(event, this.#palette)))
    for (const [server, text, isOver] of this.#changes(event)) this.#set(server, text, isOver)
    if (this.#timer !== undefined || this.#lines.size === 0) return
    this.#draw()
    this.#timer = setInterval(() => this.#draw(), FRAME_MS)
    this.#timer.unref()
  }

  /** Prints a line above the live ones, and draws them again below it. */
  #say(text: string): void {
    const back = this.#drawnRows === 0 ? '' : `\x1b[${this.#drawnRows}A`
    this.#terminal.write(`${back}\x1b[0J${cleanText(text, false)}\n`)
    this.#drawnRows = 0
    if (this.#timer !== undefined) this.#draw()
  }

  end(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#draw()
    this.#drawnRows = 0
    this.#lines.clear()
  }

  #set(server: string, text: string, isOver: boolean): void {
    const line = this.#lines.get(server)
    const since = isOver ? undefined : (line?.since ?? performance.now())
    this.#lines.set(server, { text, since })
  }

  /** Updates the line of each server. */
  #changes(event: TestfleetEvent): (readonly [server: string, text: string, isOver: boolean])[] {
    switch (event.kind) {
      case 'plan.made':
        return findServers(event.data.changes).map((server) => [server, 'queued', false] as const)
      case 'image.pulling': {
        const { image, servers, status } = event.data
        return servers.map((server) => [server, `pulling ${image}: ${status}`, false] as const)
      }
      case 'image.building': {
        const { servers, step } = event.data
        const text = step === undefined ? 'building' : `building, ${formatStep(step)}`
        return servers.map((server) => [server, text, false] as const)
      }
      case 'image.built':
        return event.data.servers.map((server) => [server, 'built', false] as const)
      case 'image.baking': {
        const { servers, status } = event.data
        const text = status === undefined ? 'baking' : formatBaking(status)
        return servers.map((server) => [server, text, false] as const)
      }
      case 'image.baked':
        return event.data.servers.map((server) => [server, 'baked', false] as const)
      case 'server.starting':
      case 'server.stopping':
      case 'server.removing':
        return [[event.data.server, event.kind.replace('server.', ''), false]]
      case 'server.stopped':
      case 'server.removed':
      case 'server.paused':
      case 'server.resumed':
        return [[event.data.server, event.kind.replace('server.', ''), true]]
      case 'server.signalled':
        return [[event.data.server, formatKilled(event), true]]
      case 'server.waiting':
        return [[event.data.server, formatWaiting(event), false]]
      case 'server.hook':
        return [[event.data.server, formatHookStep(event), false]]
      case 'server.ready':
      case 'server.completed':
        return [[event.data.server, formatReady(event, this.#palette), true]]
      case 'server.failed':
        return [[event.data.server, this.#palette.style('red', 'failed'), true]]
      case 'server.skipped':
        return [[event.data.server, this.#palette.style('yellow', 'skipped'), true]]
      case 'session.undoing':
        return event.data.servers.map((server) => [server, 'removed', true] as const)
      default:
        return []
    }
  }

  #draw(): void {
    const columns = this.#terminal.columns || 80
    // Lines that do not fit on the screen cannot be redrawn: rows above it are out of reach.
    const rows = [...this.#lines].slice(0, Math.max(1, (this.#terminal.rows || 24) - 2))
    const width = Math.max(...rows.map(([server]) => server.length))
    const frame = rows
      .map(([server, line]) => `\x1b[2K${cleanText(this.#formatRow(server, line, width, columns), false)}\n`)
      .join('')
    const back = this.#drawnRows === 0 ? '' : `\x1b[${this.#drawnRows}A`
    this.#terminal.write(`${back}${frame}\x1b[0J`)
    this.#drawnRows = rows.length
  }

  #formatRow(server: string, line: Line, width: number, columns: number): string {
    const name = this.#palette.style('bold', server.padEnd(width))
    if (line.since === undefined) return `  ${name}  ${line.text}`
    const elapsed = formatDuration(performance.now() - line.since)
    const room = Math.max(10, columns - width - elapsed.length - 8)
    return `  ${name}  ${shorten(line.text, room)}  ${this.#palette.style('dim', elapsed)}`
  }
}

function findServers(changes: readonly PlannedChange[]): string[] {
  return changes.flatMap(({ subject, action, name }) =>
    subject === 'server' && (action === 'start' || action === 'keep') ? [name] : [],
  )
}
