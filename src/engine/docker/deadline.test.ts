import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { engineAt, fakeHttp } from '../../../tests/support/fake-engine.ts'

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

describe.concurrent('a call without a deadline to an engine that', () => {
  test('hangs fails', async () => {
    await using hanging = await hangs((pings) => pings === 1)
    const failure = { code: 'ENGINE_TIMEOUT', message: expect.stringContaining('POST /containers/x/wait') }
    await expect(hanging.engine.waitContainer('x')).rejects.toMatchObject(failure)
  })

  test('answers a ping with an error fails', async () => {
    await using hanging = await hangs((pings) => pings === 1, 500)
    await expect(hanging.engine.waitContainer('x')).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  })

  test('is silent but answers pings continues', async () => {
    await using hanging = await hangs(
      () => true,
      undefined,
      (response) => setTimeout(() => response.end('{"StatusCode":7}'), 1000),
    )
    expect(await hanging.engine.waitContainer('x')).toBe(7)
    expect(hanging.pings()).toBeGreaterThan(2)
  })

  test('sends data now and then is not pinged', async () => {
    await using hanging = await hangs(
      () => true,
      undefined,
      (response) => {
        const clock = setInterval(() => response.write(' '), 50)
        setTimeout(() => {
          clearInterval(clock)
          response.end('{"StatusCode":7}')
        }, 700)
      },
    )
    expect(await hanging.engine.waitContainer('x')).toBe(7)
    expect(hanging.pings()).toBe(1)
  })
})

/** Answers the first pings with success, the others with a status or never, and other requests with `answer`. */
async function hangs(
  answersPing: (pings: number) => boolean,
  status?: number,
  answer: (response: ServerResponse) => void = () => {},
) {
  let pings = 0
  const fake = await fakeHttp((request: IncomingMessage, response) => {
    if (request.url !== '/_ping') return answer(response)
    pings++
    if (answersPing(pings) || (pings === 1 && status === undefined))
      response.writeHead(200, { 'Api-Version': '1.41' }).end('OK')
    else if (status !== undefined) response.writeHead(status).end()
  })
  const engine = await engineAt(fake.engine.location.url, '/no/home', { TESTFLEET_ENGINE_TIMEOUT: '200ms' })
  return {
    engine,
    pings: () => pings,
    async [Symbol.asyncDispose]() {
      engine.close()
      await fake[Symbol.asyncDispose]()
    },
  }
}
