import type { Range } from './timeline-model.ts'

/** Places times on the page, in percent of its width. */
export interface Scale {
  at(ms: number): number
  /** Round times to write at the axis, on three levels: each has its own and those of the level before. */
  readonly ticks: readonly Tick[]
}

export interface Tick {
  readonly ms: number
  readonly level: 1 | 2
}

/** A command that ran for minutes must not make the seconds before it too small to see. */
const COMMAND_SHARE = 0.15

export function openScale(totalMs: number, command: Range | undefined): Scale {
  const lastMs = Math.max(totalMs, 1)
  const { fromMs, toMs } = command ?? { fromMs: lastMs, toMs: lastMs }
  const otherMs = lastMs - (toMs - fromMs)
  const shownMs = Math.min(toMs - fromMs, (Math.max(otherMs, 1) * COMMAND_SHARE) / (1 - COMMAND_SHARE))
  const place = (ms: number): number => {
    if (ms <= fromMs) return ms
    if (ms >= toMs) return fromMs + shownMs + (ms - toMs)
    return fromMs + (shownMs * (ms - fromMs)) / (toMs - fromMs)
  }
  const wholeMs = otherMs + shownMs
  const isCut = shownMs < toMs - fromMs
  const isPlain = (ms: number): boolean => !isCut || ms <= fromMs || ms >= toMs
  return {
    at: (ms) => (place(Math.min(Math.max(ms, 0), lastMs)) / wholeMs) * 100,
    ticks: findTicks(lastMs, wholeMs).filter(({ ms }) => isPlain(ms)),
  }
}

const FEWEST_TICKS = 5
/** Ticks of the second level, which are written when the page is enlarged. */
const FINER = 5

function findTicks(lastMs: number, shownMs: number): Tick[] {
  const stepMs = roundDown(shownMs / FEWEST_TICKS)
  const ticks: Tick[] = []
  // What a long command hides is not counted one by one.
  const mostMs = Math.min(lastMs, stepMs * 2000)
  for (let index = 0; (index * stepMs) / FINER <= mostMs; index++) {
    ticks.push({ ms: (index * stepMs) / FINER, level: index % FINER === 0 ? 1 : 2 })
  }
  return ticks
}

/** The next smaller number of 1, 2, 5, 10, 20, 50 … */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-3)))
  return power * ([5, 2].find((digit) => value / power >= digit) ?? 1)
}
