import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours, or none. */
export interface Palette {
  style(style: Style, text: string): string
}

const plainPalette: Palette = { style: (_, text) => text }

/** `asked` is --color or --no-color; without it, a terminal has colours unless NO_COLOR is set. */
export function choosePalette(
  isTerminal: boolean,
  asked: boolean | undefined,
  environment: NodeJS.ProcessEnv,
): Palette {
  const isColored = asked ?? (isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb')
  return isColored ? { style: (style, text) => styleText(style, text, { validateStream: false }) } : plainPalette
}
