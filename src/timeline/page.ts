import { createHash } from 'node:crypto'
import { describeSpan, describeTry, drawChart } from './chart.ts'
import { Html, html } from './html.ts'
import { script } from './page-script.ts'
import { style } from './page-style.ts'
import { openScale } from './scale.ts'
import type { CallTimeline, PathPart, Row, SpanKind } from './timeline-model.ts'
import { formatMs } from './word-time.ts'

/** Writes a timeline as one HTML page, which loads nothing. Everything that it shows was escaped. */
export function formatPage(timeline: CallTimeline): string {
  const { call, session, version, startedAt, outcome, summary, totalMs, command, rows, path, warnings } = timeline
  const title = `testfleet ${call}${session === undefined ? '' : ` ${session}`}`
  const scale = openScale(totalMs, command)
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest(script)}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}: ${formatMs(totalMs)}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p class="summary ${outcome}">${keepTogether(summary)}</p>
<p class="about">Began at ${startedAt.toISOString()}. testfleet ${version}.</p>
</header>
<section aria-labelledby="chart-title">
<h2 id="chart-title">Timeline</h2>
<div class="tools">
<label><input type="checkbox" id="only"> Only the critical path</label>
<span class="zoom" hidden><button type="button" id="out" aria-label="Make the chart narrower">−</button><button type="button" id="fit">Fit</button><button type="button" id="in" aria-label="Make the chart wider">+</button></span>
${drawLegend()}
</div>
${drawChart(timeline, scale)}
<output id="detail" class="detail" aria-live="polite" hidden></output>
</section>
<section aria-labelledby="path-title">
<h2 id="path-title">Critical path</h2>
<p>What each moment was spent on. Whatever is not on it ran at the same time.</p>
${listPath(path, totalMs)}
</section>
<section aria-labelledby="servers-title">
<h2 id="servers-title">Everything, row by row</h2>
${rows.map(listRow)}
</section>
${warnings.length > 0 && html`<section><h2>Warnings</h2><ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></section>`}
</main>
<script>${new Html(script)}</script>
</body>
</html>
`
  return page.text
}

/** A number and its unit stay on one line. */
function keepTogether(text: string): string {
  return text.replaceAll(/(?<=\d) (?=(?:ms|s|min)\b)/g, '\u00a0')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

const legend: Readonly<Record<SpanKind, string>> = {
  own: 'testfleet',
  wait: 'waiting',
  image: 'pulling, building',
  create: 'creating, delivering',
  start: 'starting',
  hook: 'hooks',
  ready: 'ready checks',
  stop: 'stopping, removing',
  command: 'command',
}

function drawLegend(): Html {
  const items = Object.entries(legend).map(([kind, text]) => html`<li><i class="bar ${kind}"></i>${text}</li>`)
  return html`<ul class="legend" aria-label="Colours">${items}<li><i class="bar own crit"></i>on the critical path</li><li><i class="mark"></i>ready</li></ul>`
}

/** Shorter parts are listed as one. */
const LEAST_SHARE = 0.005

function listPath(path: readonly PathPart[], totalMs: number): Html {
  const isLong = ({ fromMs, toMs }: PathPart): boolean => toMs - fromMs >= totalMs * LEAST_SHARE
  const short = path.filter((part) => !isLong(part))
  const shortMs = short.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  const rows = path.filter(isLong).map(({ title, detail, fromMs, toMs }) => {
    const share = totalMs === 0 ? 0 : ((toMs - fromMs) / totalMs) * 100
    return html`<tr><td>${title}${detail !== undefined && html`<br><small>${detail}</small>`}</td><td>${formatMs(fromMs)}</td><td>${formatMs(toMs - fromMs)}</td><td><span class="share" style="--share:${share.toFixed(1)}%">${share.toFixed(0)} %</span></td></tr>
`
  })
  const rest =
    short.length > 0 &&
    html`<tr><td>${short.length} shorter ${short.length === 1 ? 'one' : 'ones'}</td><td></td><td>${formatMs(shortMs)}</td><td></td></tr>`
  return html`<div class="wide"><table><thead><tr><th scope="col">What</th><th scope="col">From</th><th scope="col">Took</th><th scope="col">Share</th></tr></thead><tbody>
${rows}${rest}</tbody></table></div>`
}

function listRow({ name, state, spans, checks }: Row): Html {
  const items = spans.map(
    (span) => html`<li class="${span.isCritical && 'crit'}">${describeSpan(name, span).slice(name.length + 2)}${
      span.parts.length > 0 &&
      html`<ol>${span.parts.map((part) => html`<li>${part.title}: ${formatMs(part.toMs - part.fromMs)}</li>`)}</ol>`
    }</li>
`,
  )
  const lists = checks.map(
    (check) =>
      html`<h3>Tries of ${check.name}</h3><ol class="answers">${check.tries.map(
        (one) => html`<li>${describeTry(check.name, one).slice(check.name.length + 2)}</li>`,
      )}</ol>`,
  )
  return html`<details><summary>${name}${state !== '' && html` <small>${state}</small>`}</summary><ul class="spans">${items}</ul>${lists}</details>
`
}
