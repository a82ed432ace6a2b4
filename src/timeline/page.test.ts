import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { maskTimeline } from './mask-timeline.ts'
import { formatPage } from './page.ts'
import { answer, began, describeTold, ended, operationsOf, phase, ready, type Told, twoServers } from './told-call.ts'

const page = formatPage(describeTold(twoServers))
const hostile = `"><script>alert('x')</script>&amp;`

describe('the page of a timeline', () => {
  test('begins with the sum in words, and lists the critical path', () => {
    expect(page.replaceAll('\u00a0', ' ')).toContain(
      '4.1 s, of which db&#39;s ready checks 2.2 s, web&#39;s ready checks 500 ms',
    )
    expect(page).toMatch(/<tr><td>db&#39;s ready checks<br><small>postgres :5432 passed last<\/small><\/td><td>900 ms/)
  })

  test('has one colour for the critical path and another one for tries that failed, in light and in dark', () => {
    const colours = (name: string) =>
      [...page.matchAll(new RegExp(`--${name}:(#\\w+)`, 'g'))].map(([, colour]) => colour)
    const [path, misses] = [colours('crit'), colours('miss')]
    expect([path.length, misses.length]).toEqual([2, 2])
    expect(new Set([...path, ...misses]).size).toBe(4)
    expect(page).toMatch(/\.try\{[^}]*background:var\(--miss\)/)
  })

  test('writes the times of its axis over the area that shortens a long command', () => {
    const long: Told[] = [
      [0, phase('carryOut'), began(operationsOf('db').ready)],
      [10_000, ended(operationsOf('db').ready, true), phase('command')],
      [600_000, phase('leave')],
      [601_000],
    ]
    const [, axis = ''] =
      /row axis[\s\S]*?<div class="track">([\s\S]*?)<\/div>/.exec(formatPage(describeTold(long))) ?? []
    expect(axis.indexOf('class="cut"')).toBeGreaterThanOrEqual(0)
    expect(axis.indexOf('class="cut"')).toBeLessThan(axis.indexOf('class="tick'))
  })

  test('loads nothing: its policy allows only its own script and its own styles', () => {
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? []
    const hash = createHash('sha256').update(script).digest('base64')
    expect(page).toContain(
      `default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src &#39;sha256-${hash}&#39;`,
    )
    expect(page).not.toMatch(/https?:|\bsrc=|\bhref=|url\(|@import/)
  })

  test('says in text what each bar shows, for screen readers and without a script', () => {
    expect(page).toContain('<details><summary>web <small>ready after 4.0 s</small></summary>')
    expect(page).toContain('waiting for db to be ready: 2.8 s, from 300 ms to 3.1 s')
    expect(page).toContain('<li>the database system is starting up (8 ms, at 2.0 s)</li>')
    expect(page).toMatch(/<html lang="en">[\s\S]*<h1>testfleet up shop<\/h1>/)
  })

  test('escapes everything that servers, builds and fleet files say', () => {
    const server = operationsOf(hostile)
    const told: Told[] = [
      [0, { kind: 'sessionChosen', session: hostile }, phase('carryOut'), began(server.ready)],
      [1, answer(hostile, hostile, hostile, 1), { kind: 'warned', message: hostile }],
      [2, ended(server.ready, true), { kind: 'skipped', server: 'other', because: hostile }],
    ]
    const escaped = formatPage(describeTold(told, { outcome: 'failed', message: hostile }))
    expect(escaped.match(/<script>/g)).toHaveLength(1)
    expect(escaped).not.toContain("alert('")
    expect(escaped).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)')
  })

  test('has no secret in it, nor has the trace', () => {
    const server = operationsOf('db')
    const told: Told[] = [
      [0, phase('carryOut'), began(server.ready)],
      [1, answer('db', 'http :80/?key=hunter22', 'wrong key hunter22', 1), { kind: 'warned', message: 'hunter22' }],
      [2, ended(server.ready, true)],
    ]
    const timeline = describeTold(told, { outcome: 'failed', message: 'no hunter22' })
    const masked = formatPage(maskTimeline(timeline, (text) => text.replaceAll('hunter22', '***')))
    expect(masked).not.toContain('hunter22')
    expect(masked).toContain('wrong key ***')
  })

  test('stays below a few megabytes for 100 servers that are asked for half an hour', () => {
    const told: Told[] = [[0, phase('carryOut')]]
    for (let server = 0; server < 100; server++) {
      const name = `server-${server}`
      const { ready: awaiting } = operationsOf(name)
      told.push([1, began(awaiting)])
      for (let check = 0; check < 3; check++) {
        for (let at = 0; at < 200; at++)
          told.push([at * 9000, answer(name, `tcp :${check}`, `${at} ${'x'.repeat(500)}`, 5)])
      }
      told.push([1_800_000, ready(name), ended(awaiting)])
    }
    const large = formatPage(describeTold(told, { totalMs: 1_800_000 }))
    expect(large.length).toBeLessThan(6_000_000)
  })
})
