import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Harness } from '../../src/engine/conformance/harness.ts'
import type { ProtocolCheck } from '../../src/model/protocols.ts'
import { protocolNames } from '../../src/model/protocols.ts'
import type { CheckSubject } from '../../src/ready/run-check.ts'
import {
  buildOtherImage,
  buildQuickImage,
  type Daemon,
  otherDaemons,
  quickDaemons,
} from '../support/protocol-daemons.ts'
import { askEngine } from '../support/raw-engine.ts'
import { openReadyHarness, subjectOf, watchWait } from '../support/ready-harness.ts'
import { wide } from '../support/tiers.ts'

let harness: Harness

beforeAll(async () => {
  harness = await openReadyHarness()
})

afterAll(async () => {
  await harness.sweep()
  harness.engine.close()
})

/** Nothing listens until /go is there. */
async function startHeld(image: string, script: string) {
  // Some close all the files that they may have, one by one: a million, where an engine sets no limit.
  const command = ['sh', '-c', `ulimit -n 1024; until [ -e /go ]; do sleep 0.05; done\n${script}`]
  const id = await harness.start({ image, command })
  return { id, subject: await subjectOf(harness, id, []), go: () => harness.shell(id, 'touch /go') }
}

/** A check that answers so, and does not pass. */
async function staysUnready(subject: CheckSubject, check: ProtocolCheck, answer: RegExp): Promise<void> {
  const abort = new AbortController()
  const wait = watchWait(subject, [check], { signal: abort.signal })
  await wait.answered(answer)
  expect(wait.isSettled()).toBe(false)
  abort.abort(new Error('enough'))
  await expect(wait.result).rejects.toThrow()
  expect(wait.answers.join('\n')).not.toContain('secret-')
}

/** From nothing at the port to a server that cannot answer. */
async function goThrough(image: string, { check, script, refused, also = [] }: Daemon): Promise<void> {
  const { id, subject, go } = await startHeld(image, script)
  const wait = watchWait(subject, [check], { timeoutMs: START_MS })
  await wait.answered(check.kind === 'tftp' ? /: does not answer$/ : /: connection refused$/)
  expect(wait.isSettled()).toBe(false)
  await go()
  await wait.result
  await watchWait(subject, also).result
  if (refused !== undefined) await staysUnready(subject, refused.check, refused.answer)
  await askEngine('POST', `/containers/${id}/pause`)
  await staysUnready(subject, check, /: does not answer$/)
  await askEngine('POST', `/containers/${id}/unpause`)
  await watchWait(subject, [check]).result
  await harness.engine.removeContainer(id)
}

/** RabbitMQ is a long time in coming. */
const START_MS = 90_000
const INSTALL_MS = 10 * 60_000

describe('a protocol check passes as soon as the real server answers, and fails while it is closed or paused', () => {
  let image: string

  beforeAll(async () => {
    image = await buildQuickImage(harness)
  }, INSTALL_MS)

  test.concurrent.for(Object.entries(quickDaemons))('%s', ([, daemon]) => goThrough(image, daemon))
})

describe('the same holds for a check of', wide, () => {
  let image: string

  beforeAll(async () => {
    image = await buildOtherImage(harness)
  }, INSTALL_MS)

  const { 'ntp that is not synchronised': unsynchronised, ...others } = otherDaemons

  test.concurrent.for(Object.entries(others))('%s', ([, daemon]) => goThrough(image, daemon))

  test('ntp, which does not pass while the clock is not synchronised', async () => {
    if (unsynchronised === undefined) throw new Error('it is in the table')
    const { subject, go } = await startHeld(image, unsynchronised.script)
    await go()
    await staysUnready(subject, unsynchronised.check, /: is not synchronised$/)
  })

  test('any protocol, which does not pass for a server of another protocol', async () => {
    const ports = { ssh: 22, dns: 53 }
    const { subject, go } = await startHeld(image, `(${otherDaemons.ssh?.script}) &\n${quickDaemons.dns?.script}`)
    await go()
    await watchWait(subject, [
      { kind: 'ssh', port: ports.ssh },
      { kind: 'dns', port: ports.dns },
    ]).result
    const checks = [...Object.values(quickDaemons), ...Object.values(otherDaemons)].map(({ check }) => check)
    const strangers = new Map<string, ProtocolCheck>(checks.map((check) => [check.kind, check]))
    expect([...strangers.keys()].sort()).toEqual(protocolNames)
    const waits = [...strangers.values()]
      .flatMap((check) => [22, 53].map((port) => ({ ...check, port })))
      .filter(({ kind, port }) => !(kind === 'ssh' && port === 22) && !(kind === 'dns' && port === 53))
      .map((check) => watchWait(subject, [check], { timeoutMs: 5000 }))
    for (const wait of waits) await expect(wait.result).rejects.toMatchObject({ code: 'READY_TIMEOUT' })
  })
})
