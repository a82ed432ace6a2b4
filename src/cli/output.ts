import type { FleetEvent } from '../model/events.ts'
import { LiveProgress } from './live-progress.ts'
import { choosePalette, type Palette } from './palette.ts'
import { PlainProgress, type Progress } from './plain-progress.ts'

export interface OutputSettings {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** --color or --no-color; undefined leaves it to the terminal. */
  readonly color: boolean | undefined
}

/** Results go to stdout, progress and messages to stderr. */
export interface Output {
  readonly palette: Palette
  /** A result. */
  write(text: string): void
  /** A message. */
  tell(text: string): void
  onEvent(event: FleetEvent): void
  /** Leaves the live lines as they are; messages can follow. */
  endProgress(): void
}

export function openOutput(settings: OutputSettings): Output {
  const { stdout, stderr } = process
  const palette = choosePalette(stderr.isTTY === true, settings.color, process.env)
  const tell = (text: string): void => {
    stderr.write(text)
  }
  const progress = chooseProgress(settings, palette, tell)
  return {
    palette,
    write: (text) => void stdout.write(text),
    tell,
    onEvent: (event) => progress?.onEvent(event),
    endProgress: () => progress?.end(),
  }
}

function chooseProgress(
  settings: OutputSettings,
  palette: Palette,
  tell: (text: string) => void,
): Progress | undefined {
  if (settings.quiet) return undefined
  const isLive = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !settings.verbose
  return isLive ? new LiveProgress(process.stderr, palette) : new PlainProgress(tell, palette, settings.verbose)
}
