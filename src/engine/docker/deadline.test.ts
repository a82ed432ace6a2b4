import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { engineAt, fakeHttp } from '../../../tests/support/fake-engine.ts'
import { startDeadline } from './deadline.ts'

describe('TESTFLEET_ENGINE_TIMEOUT', () => {
  test.each(['soon', '-1s', '0', '5 s'])('must be a duration, not %j', async (text) => {
    const opened = engineAt('unix:///x', '/no/home', { TESTFLEET_ENGINE_TIMEOUT: text })
    const failure = { code: 'ENGINE_CONFIGURATION', message: expect.stringContaining(text), exitCode: 3 }
    await expect(opened).rejects.toMatchObject(failure)
  })

  test('limits the time for one answer', async () => {
    await using hanging = await hangs(() => false)
    const failure = { code: 'ENGINE_TIMEOUT', message: expect.stringContaining('within 0.2 s') }
    await expect(hanging.engine.info()).rejects.toMatchObject(failure)
  })
})

describe('a call without a deadline to an engine that', () => {
  // Time passes only as the tests say, however slow the machine is.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  test('hangs fails', async () => {
    await using hanging = await hangs((pings) => pings === 1)
    const answer = hanging.engine.waitContainer('x').catch((error: unknown) => error)
    await hanging.asked
    // The request itself was sent in the first period.
    vi.advanceTimersByTime(2 * SILENCE_MS)
    await hanging.pingedTwice
    vi.advanceTimersByTime(SILENCE_MS)
    const message = expect.stringContaining('POST /containers/x/wait')
    expect(await answer).toMatchObject({ code: 'ENGINE_TIMEOUT', message })
  })

  test('answers a ping with an error fails', async () => {
    // The request is repeated, and the engine is silent again.
    const onAsked = (): void => void vi.advanceTimersByTime(2 * SILENCE_MS)
    await using hanging = await hangs((pings) => pings === 1, 500, onAsked)
    await expect(hanging.engine.waitContainer('x')).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  })

  test('is silent is pinged after each period of silence, and continues while it answers', async () => {
    const watched = watch()
    for (const count of [1, 2, 3]) {
      await vi.advanceTimersByTimeAsync(SILENCE_MS)
      expect(watched.ping).toHaveBeenCalledTimes(count)
    }
    expect(watched.deadline.ended).toBeUndefined()
    watched.ping.mockRejectedValueOnce('silent')
    await vi.advanceTimersByTimeAsync(SILENCE_MS)
    expect(watched.deadline.ended).toEqual({ reason: 'silent' })
  })

  test('sends data now and then is not pinged', async () => {
    const watched = watch()
    for (let times = 0; times < 20; times++) {
      watched.receive()
      await vi.advanceTimersByTimeAsync(SILENCE_MS / 2)
    }
    expect(watched.ping).not.toHaveBeenCalled()
    watched.deadline.release()
    await vi.advanceTimersByTimeAsync(10 * SILENCE_MS)
    expect(watched.ping).not.toHaveBeenCalled()
  })
})

const SILENCE_MS = 200

/** A request without a deadline, of an engine that answers pings. */
function watch() {
  let bytes = 0
  const ping = vi.fn(async () => {})
  const pingWatch = { silenceMs: SILENCE_MS, ping }
  const deadline = startDeadline({ signal: undefined, timeoutMs: undefined, pingWatch, timeoutFailure() {} })
  deadline.measureProgress(() => bytes)
  return { deadline, ping, receive: () => void bytes++ }
}

/** Answers the first pings with success, the others with a status or never, and other requests never. */
async function hangs(answersPing: (pings: number) => boolean, status?: number, onAsked = () => {}) {
  let pings = 0
  const [asked, pingedTwice] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const fake = await fakeHttp((request: IncomingMessage, response) => {
    if (request.url !== '/_ping') {
      asked.resolve()
      return onAsked()
    }
    pings++
    if (pings === 2) pingedTwice.resolve()
    if (answersPing(pings) || (pings === 1 && status === undefined))
      response.writeHead(200, { 'Api-Version': '1.41' }).end('OK')
    else if (status !== undefined) response.writeHead(status).end()
  })
  const environment = { TESTFLEET_ENGINE_TIMEOUT: `${SILENCE_MS}ms` }
  const engine = await engineAt(fake.engine.location.url, '/no/home', environment)
  return {
    engine,
    asked: asked.promise,
    pingedTwice: pingedTwice.promise,
    async [Symbol.asyncDispose]() {
      engine.close()
      await fake[Symbol.asyncDispose]()
    },
  }
}
