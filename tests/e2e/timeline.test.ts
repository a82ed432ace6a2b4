import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { base, endFleets, makeFleet } from '../support/test-fleet.ts'

afterAll(endFleets)

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly args?: { readonly name?: string }
}

const waitFor = (file: string): string => `ready: [{ exec: [sh, -c, "test -e ${file} || { echo not yet; exit 3; }"] }]`

test('--timeline writes what each server waited for, as a page and as a trace; also for a call that fails', async () => {
  const fleet = await makeFleet([
    `db: { image: ${base}, command: [sh, -c, "sleep 0.4; touch /up; sleep 600"], stopSignal: SIGKILL, ${waitFor('/up')} }`,
    `web: { image: ${base}, command: [sleep, "600"], stopSignal: SIGKILL, dependsOn: [db], ${waitFor('/etc/passwd')},`,
    '  secrets: { KEY: { generate: 24 } }, postStart: [[sh, -c, "echo $(cat /run/secrets/KEY)"]] }',
  ])
  const run = await fleet.run(['run', '--timeline', 'run.html', '--timeline', 'run.json', '--', 'true'])
  expect(run).toMatchObject({ exitCode: 0 })
  const page = await readFile(join(fleet.folder, 'run.html'), 'utf8')
  expect(page).toMatch(/<p class="summary ok">[\d.]+\sm?s until the command started, of which /)
  expect(page).toMatch(/web: waiting for db to be ready: /)
  expect(page).toMatch(/passes \([\d.]+ m?s, at /)
  expect(page).toMatch(/postStart sh -c /)
  const { traceEvents, otherData } = JSON.parse(await readFile(join(fleet.folder, 'run.json'), 'utf8'))
  expect(otherData).toMatchObject({ outcome: 'ok' })
  const path: TraceEvent[] = traceEvents.filter(({ ph, tid }: TraceEvent) => ph === 'X' && tid === 1)
  // Without a gap from the beginning to the end.
  for (const [index, { ts }] of path.entries()) {
    const before = path[index - 1]
    expect(ts - (before === undefined ? 0 : before.ts + (before.dur ?? 0))).toBeLessThanOrEqual(1)
  }
  const names = path.map(({ name }) => name)
  const inOrder = [
    "db's ready checks",
    'starting web',
    'postStart commands of web',
    'the command',
    'leaving the session',
  ]
  expect(names.filter((name) => inOrder.includes(name))).toEqual(inOrder)

  await fleet.rewrite([
    `db: { image: ${base}, command: [sh, -c, "exit 7"], ready: [{ log: never }] }`,
    `web: { image: ${base}, command: [sleep, "600"], dependsOn: [db] }`,
  ])
  expect(await fleet.run(['up', '--timeline', 'up.html'])).toMatchObject({ exitCode: 1 })
  const failed = await readFile(join(fleet.folder, 'up.html'), 'utf8')
  expect(failed).toMatch(/<p class="summary failed">Failed after [\d.]+\sm?s: db ended with exit code 7/)
  expect(failed).toMatch(/<b>web<\/b><small>not started, because of db<\/small>/)
})
