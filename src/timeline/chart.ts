import { type Html, html } from './html.ts'
import { assignLanes } from './lanes.ts'
import type { Try } from './notes.ts'
import type { Scale } from './scale.ts'
import type { CallTimeline, CheckLine, Range, Row, Span } from './timeline-model.ts'
import { formatMs } from './word-time.ts'

/** Draws a row for the call, for each shared image and for each server, with a bar for everything that took time. */
export function drawChart({ rows, path, command }: CallTimeline, scale: Scale): Html {
  const ticks = scale.ticks.map(
    ({ ms, level }) =>
      html`<i class="tick level${level}" style="left:${percent(scale.at(ms))}"><span>${formatTick(ms)}</span></i>`,
  )
  const cut =
    command &&
    html`<i class="cut" style="${place(command, scale)}"><span>command: ${formatMs(command.toMs - command.fromMs)}</span></i>`
  return html`<div class="scroll" id="scroll" tabindex="0" role="group" aria-label="Chart; the same is in the lists below it">
<div class="plot" id="plot">
<div class="row axis" aria-hidden="true"><div class="name"></div><div class="track">${cut}${ticks}</div></div>
<div class="row pathrow"><div class="name">critical path</div><div class="track">${path.map((part, index) => drawPath(part, index, scale))}</div></div>
${rows.map((row) => drawRow(row, scale))}
</div>
</div>`
}

function drawPath(part: CallTimeline['path'][number], index: number, scale: Scale): Html {
  const text = `${part.title}: ${formatMs(part.toMs - part.fromMs)}${part.detail === undefined ? '' : `\n${part.detail}`}`
  return html`<i class="bar crit ${index % 2 === 0 ? 'even' : 'odd'}" style="${place(part, scale)}" title="${text}"><span>${part.title}</span></i>`
}

function drawRow(row: Row, scale: Scale): Html {
  const lanes = assignLanes(row.spans)
  const count = Math.max(1, ...lanes.map(({ lane }) => lane + 1))
  const checks = row.checks.length
  return html`<div class="row ${row.kind}"><div class="name" title="${row.name}"><b>${row.name}</b><small>${row.state}</small></div>
<div class="track" style="--lanes:${count};--checks:${checks}">${lanes.map(({ item, lane }) => drawSpan(row, item, lane, scale))}
${row.checks.map((check, index) => drawCheck(check, index, count, scale))}
${row.readyMs === undefined ? undefined : html`<i class="mark" style="left:${percent(scale.at(row.readyMs))}" title="ready after ${formatMs(row.readyMs)}"></i>`}</div></div>`
}

function drawSpan(row: Row, span: Span, lane: number, scale: Scale): Html {
  const classes = `bar ${span.kind}${span.isCritical ? ' crit' : ''}${span.outcome === 'ok' ? '' : ` ${span.outcome}`}`
  const text = describeSpan(row.name, span)
  const parts = span.parts.map(
    (part) => html`<i class="part" style="left:${percent(within(part.fromMs, span, scale))}"></i>`,
  )
  return html`<button type="button" tabindex="-1" class="${classes}" style="${place(span, scale)};--lane:${lane}" title="${text}">${parts}<span>${span.title}</span></button>
`
}

/** Where a part begins in its span, in percent of the span. */
function within(ms: number, { fromMs, toMs }: Range, scale: Scale): number {
  const width = scale.at(toMs) - scale.at(fromMs)
  const left = scale.at(Math.min(Math.max(ms, fromMs), toMs)) - scale.at(fromMs)
  return width === 0 ? 0 : (left / width) * 100
}

function drawCheck(check: CheckLine, index: number, lanes: number, scale: Scale): Html {
  const tries = check.tries.map(
    (one) =>
      html`<i class="try${one.isPassed ? ' pass' : ''}" style="${place(one, scale)}" title="${describeTry(check.name, one)}"></i>`,
  )
  const style = html`top:calc(${lanes} * var(--lane-height) + ${index} * var(--check-height) + 2px)`
  return html`<i class="check" style="${place(check, scale)};${style}" title="${check.name}"></i><div class="tries" style="${style}">${tries}</div>
`
}

/** Words a span for the list, for its tooltip and for screen readers. */
export function describeSpan(row: string, span: Span): string {
  const { title, fromMs, toMs, outcome, isCritical, notes } = span
  const took = `${formatMs(toMs - fromMs)}, from ${formatMs(fromMs)} to ${formatMs(toMs)}`
  const also = [
    outcome !== 'ok' && `It ${outcome === 'failed' ? 'failed' : 'was cancelled'}.`,
    isCritical && 'It is on the critical path.',
  ]
  return [`${row}: ${title}: ${took}`, ...also.filter((one) => one !== false), ...notes].join('\n')
}

export function describeTry(check: string, { fromMs, toMs, answer, count }: Try): string {
  const tries = count === 1 ? '' : `${count} tries, `
  return `${check}: ${answer} (${tries}${formatMs(toMs - fromMs)}, at ${formatMs(toMs)})`
}

function place({ fromMs, toMs }: Range, scale: Scale): Html {
  const left = scale.at(fromMs)
  return html`left:${percent(left)};width:${percent(scale.at(toMs) - left)}`
}

function percent(value: number): string {
  return `${Number(value.toFixed(3))}%`
}

function formatTick(ms: number): string {
  if (ms === 0) return '0'
  if (ms < 1000) return `${Number(ms.toFixed(1))} ms`
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(3))} s`
  const seconds = Number(((ms % 60_000) / 1000).toFixed(1))
  return `${Math.floor(ms / 60_000)} min${seconds === 0 ? '' : ` ${seconds} s`}`
}
