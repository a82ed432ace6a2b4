import type { TestfleetEvent } from '../api/events.ts'
import { LiveProgress } from './live-progress.ts'
import { choosePalette, type Palette } from './palette.ts'
import { openPlainProgress, type Progress } from './plain-progress.ts'
import { cleanText, markLines } from './terminal-text.ts'

export interface OutputSettings {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** --color or --no-color; undefined leaves it to the terminal. */
  readonly color: boolean | undefined
}

/**
 * Results go to stdout, progress and messages to stderr. What people read is cleaned here, at the last moment: servers,
 * images and fleet files have written parts of it.
 */
export interface Output {
  readonly palette: Palette
  /** Whether people read the messages. */
  readonly isTerminal: boolean
  /** Prints a result for people. */
  write(text: string): void
  /** Prints a result for programs, unchanged. */
  writeData(text: string): void
  /** Prints a message. */
  tell(text: string): void
  onEvent(event: TestfleetEvent): void
  /** Keeps the live lines as they are; messages can follow. */
  endProgress(): void
}

export function openOutput(settings: OutputSettings): Output {
  const palette = choosePalette(process.stderr.isTTY === true, settings.color, process.env)
  return createOutput(palette, (tell) => chooseProgress(settings, palette, tell), '')
}

/** Output of one of several calls at once: each line of it begins with a mark. */
export function openMarkedOutput({ quiet, verbose, output }: MarkedSettings, mark: string): Output {
  const { palette } = output
  return createOutput(palette, (tell) => (quiet ? undefined : openPlainProgress(tell, palette, verbose)), mark)
}

type MarkedSettings = OutputSettings & { readonly output: Output }

function createOutput(palette: Palette, open: (tell: Tell) => Progress | undefined, mark: string): Output {
  const { stdout, stderr } = process
  const isOnCi = ['CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION'].some((name) => process.env[name])
  const toLines = (text: string): string => cleanText(mark === '' ? text : markLines(text, mark), isOnCi)
  const tell = (text: string): void => void stderr.write(toLines(text))
  const progress = open(tell)
  return {
    palette,
    isTerminal: stderr.isTTY === true,
    write: (text) => void stdout.write(toLines(text)),
    writeData: (text) => void stdout.write(text),
    tell,
    onEvent: (event) => progress?.onEvent(event),
    endProgress: () => progress?.end(),
  }
}

type Tell = Output['tell']

function chooseProgress({ quiet, verbose }: OutputSettings, palette: Palette, tell: Tell): Progress | undefined {
  if (quiet) return undefined
  const isLive = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !verbose
  return isLive ? new LiveProgress(process.stderr, palette) : openPlainProgress(tell, palette, verbose)
}
