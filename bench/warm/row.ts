import { formatTable, median } from '../statistics.ts'

/** A line of the table. Every value is that of one round, in its unit. */
export interface Row {
  readonly what: string
  readonly unit: 'ms' | 'MB' | '/s' | 's'
  readonly values: readonly number[]
  /** The same work done in another way, in the same rounds. */
  readonly compared?: { readonly name: string; readonly values: readonly number[] }
  readonly aim: string
}

const head = ['what', 'rounds', 'testfleet', 'spread', 'compared with', 'median', 'ratio', 'spread', 'aim']

/** A ratio is how much longer the other one takes, or how much more it has; each within one round. */
export function formatRows(rows: readonly Row[]): string {
  return formatTable([head, ...rows.map(formatRow)])
}

function formatRow({ what, unit, values, compared, aim }: Row): string[] {
  const own = [what, String(values.length), format(median(values), unit), spread(values, (value) => round(value))]
  if (compared === undefined) return [...own, '', '', '', '', aim]
  const ratios = values.map((value, index) => (compared.values[index] ?? Number.NaN) / value)
  const ratio = (value: number): string => value.toFixed(2)
  return [
    ...own,
    ...[compared.name, format(median(compared.values), unit), ratio(median(ratios)), spread(ratios, ratio), aim],
  ]
}

function spread(values: readonly number[], word: (value: number) => string): string {
  return `${word(Math.min(...values))}–${word(Math.max(...values))}`
}

function format(value: number, unit: string): string {
  return unit === '/s' ? `${round(value)}/s` : `${round(value)} ${unit}`
}

function round(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** The value below which a share of the values is, such as 0.95. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
