import { styleText } from 'node:util'
import { ownCommand } from './terminal-text.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours, or none. */
export interface Palette {
  style(style: Style, text: string): string
}

const plainPalette: Palette = { style: (_, text) => text }

/** Its colours are kept when the output is cleaned; sequences in the text are not. */
const coloredPalette: Palette = {
  style(style, text) {
    const [begin = '', end = ''] = styleText(style, '\n', { validateStream: false }).split('\n')
    return `${ownCommand(begin)}${text}${ownCommand(end)}`
  },
}

/** `asked` is --color or --no-color; without it, a terminal has colours unless NO_COLOR is set. */
export function choosePalette(
  isTerminal: boolean,
  asked: boolean | undefined,
  environment: NodeJS.ProcessEnv,
): Palette {
  const isColored = asked ?? (isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb')
  return isColored ? coloredPalette : plainPalette
}
