import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import { connectLender } from './client.ts'
import { openConnection } from './connection.ts'
import { type LineClient, type LineServerLimits, openLineServer } from './line-server.ts'

const root = mkdtempSync(join(tmpdir(), 'lines-'))
const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
  rmSync(root, { recursive: true })
})
let sockets = 0

async function serve(onClient: (client: LineClient) => void, limits?: LineServerLimits) {
  const path = join(root, `${sockets++}.sock`)
  const { lines, accept } = openLineServer(limits)
  lines.onClient(onClient)
  const server = createServer(accept)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  closers.push(() => {
    lines.close()
    server.close()
  })
  const open = async () => {
    const client = await connectLender(path)
    if (client === undefined) throw new Error('no connection')
    return client
  }
  return { path, lines, open }
}

/** Sends raw text, and returns all lines that come back until the connection ends or `count` lines have come. */
async function converse(path: string, text: string, count: number): Promise<unknown[]> {
  const socket: Socket = connect(path)
  socket.setEncoding('utf8').on('error', () => {})
  socket.write(text)
  let received = ''
  for await (const chunk of socket) {
    received += chunk
    if (received.split('\n').length > count) break
  }
  socket.destroy()
  return received
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

const echo = (client: LineClient): void => client.onRequest(async ({ id: _, ...request }) => ({ echo: request }))

describe.skipIf(process.platform === 'win32')('a server of JSON lines', () => {
  test('answers each request with its id, whatever the order of the answers', async () => {
    const gate = Promise.withResolvers<void>()
    const { open } = await serve((client) =>
      client.onRequest(async ({ wait }) => {
        if (wait === true) await gate.promise
        else gate.resolve()
        return { waited: wait === true }
      }),
    )
    const client = await open()
    const first = client.ask({ wait: true }, { timeoutMs: 60_000 })
    expect(await client.ask({}, { timeoutMs: 60_000 })).toEqual({ waited: false })
    expect(await first).toEqual({ waited: true })
    client.close()
  })

  test('answers a failure with its code and hint, and a bug with its message', async () => {
    const { open } = await serve((client) =>
      client.onRequest(async ({ bug }) => {
        throw bug === true ? new Error('odd') : new TestfleetError('UNKNOWN_SERVER', 'no db', { hint: 'Name one.' })
      }),
    )
    const client = await open()
    await expect(client.ask({}, { timeoutMs: 60_000 })).rejects.toMatchObject({
      code: 'UNKNOWN_SERVER',
      message: 'no db',
      hint: 'Name one.',
    })
    await expect(client.ask({ bug: true }, { timeoutMs: 60_000 })).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: 'the lender failed: odd',
    })
    client.close()
  })

  test('a request that its client takes back is cancelled; a late answer reaches the client', async () => {
    const cancelled = Promise.withResolvers<void>()
    const { open } = await serve((client) =>
      client.onRequest(async (_, { signal }) => {
        signal.addEventListener('abort', () => cancelled.resolve())
        await cancelled.promise
        return { late: 1 }
      }),
    )
    const client = await open()
    const late = Promise.withResolvers<object>()
    const stop = new AbortController()
    const asked = client.ask({}, { timeoutMs: 60_000, signal: stop.signal, onLate: late.resolve })
    stop.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    expect(await late.promise).toEqual({ late: 1 })
    await expect(client.ask({}, { timeoutMs: 60_000, signal: stop.signal })).rejects.toThrow('enough')
    client.close()
  })

  test('a request that is not answered in time fails with TIMED_OUT', async () => {
    const { open } = await serve((client) => client.onRequest(() => new Promise(() => {})))
    const client = await open()
    await expect(client.ask({}, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
    client.close()
  })

  test('the end of a client is reported once, and takes its requests back', async () => {
    let ends = 0
    const arrived = Promise.withResolvers<void>()
    const taken = Promise.withResolvers<void>()
    const { open, lines } = await serve((client) => {
      client.onEnd(() => ends++)
      client.onRequest(async (_, { signal }) => {
        signal.addEventListener('abort', () => taken.resolve())
        client.send({ note: 1 })
        arrived.resolve()
        await taken.promise
        return {}
      })
    })
    const client = await open()
    const asked = client.ask({}, { timeoutMs: 60_000 })
    asked.catch(() => {})
    const changed = Promise.withResolvers<void>()
    await arrived.promise
    lines.onChange(changed.resolve)
    client.close()
    await Promise.all([taken.promise, changed.promise])
    expect(ends).toBe(1)
    expect(lines.clients).toBe(0)
    await expect(asked).rejects.toMatchObject({ code: 'LENDER_LOST' })
    await expect(client.ask({}, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'LENDER_LOST' })
  })

  test.each([
    ['no JSON', 'hello\n', { error: { code: 'USAGE', message: 'a request is a JSON object on one line' } }],
    ['a list', '[1]\n', { error: { code: 'USAGE', message: 'a request is a JSON object on one line' } }],
    ['no id', '{"a":1}\n', { error: { code: 'USAGE', message: expect.stringContaining('needs an `id`') } }],
    ['an id that is a list', '{"id":[1]}\n', { id: [1], error: expect.objectContaining({ code: 'USAGE' }) }],
    ['half a line first', '{"id":1,"x":"\u00e9"}\n', { id: 1, echo: { x: '\u00e9' } }],
  ])('a request with %s gets its answer', async (_, text, answer) => {
    const { path } = await serve(echo)
    expect(await converse(path, text, 1)).toEqual([answer])
  })

  test('a line that is too long is refused, and its client disconnected', async () => {
    const { path } = await serve(echo)
    const answer = { error: { code: 'USAGE', message: 'a request is longer than 65536 characters' } }
    expect(await converse(path, 'x'.repeat(100_000), 9)).toEqual([answer])
    expect(await converse(path, `{"id":1,"x":"${'x'.repeat(100_000)}"}\n{"id":2}\n`, 9)).toEqual([answer])
  })

  test('an id that is in use, and too many requests, are refused', async () => {
    const { path } = await serve((client) => client.onRequest(() => new Promise(() => {})), { clients: 9, requests: 2 })
    const text = [1, 1, 2, 3].map((id) => `{"id":${id}}\n`).join('')
    expect(await converse(path, text, 2)).toEqual([
      { id: 1, error: { code: 'USAGE', message: expect.stringContaining('is not answered yet') } },
      { id: 3, error: { code: 'USAGE', message: 'more than 2 requests are not answered yet' } },
    ])
  })

  test('a request that is taken back is answered with CANCELLED', async () => {
    const { path } = await serve((client) =>
      client.onRequest(
        (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
    )
    const error = { code: 'CANCELLED', message: 'the request was taken back' }
    expect(await converse(path, '{"id":1}\n{"cancel":1}\n', 1)).toEqual([{ id: 1, error }])
  })

  test('a client over the limit is refused, and the next one is served when one has left', async () => {
    const { open, path, lines } = await serve(echo, { clients: 1, requests: 9 })
    const client = await open()
    const error = { code: 'SESSION_BUSY', message: 'the lender already has 1 clients', hint: expect.any(String) }
    expect(await converse(path, '', 1)).toEqual([{ error }])
    await expect(open()).rejects.toMatchObject({ code: 'SESSION_BUSY', message: error.message })
    const left = Promise.withResolvers<void>()
    lines.onChange(left.resolve)
    client.close()
    await left.promise
    const next = await open()
    expect(await next.ask({ a: 1 }, { timeoutMs: 60_000 })).toEqual({ echo: { a: 1 } })
    next.close()
  })

  test('a client that never reads is disconnected', async () => {
    const accepted = Promise.withResolvers<void>()
    const { path, lines } = await serve((client) => {
      client.onRequest(async () => ({ text: 'x'.repeat(60_000) }))
      setImmediate(accepted.resolve)
    })
    const socket = connect(path).on('error', () => {})
    const gone = Promise.withResolvers<void>()
    await accepted.promise
    lines.onChange(gone.resolve)
    let id = 0
    const clock = setInterval(() => socket.write(`{"id":${id++}}\n`.repeat(1)), 1)
    await gone.promise
    clearInterval(clock)
    expect(id).toBeLessThan(1000)
    socket.destroy()
  })

  test.each([
    ['no error', '{"id":1,"error":null}\n', 'the lender has answered with an unknown error'],
    ['an unknown code', '{"id":1,"error":{"code":"odd","message":"no"}}\n', 'no'],
    ['no end of a line', 'x'.repeat(5 * 1024 ** 2), 'the lender has sent too long an answer'],
  ])('a lender that answers with %s is of no use', async (_, answer, message) => {
    const path = join(root, `${sockets++}.sock`)
    const server = createServer((socket) => void socket.on('error', () => {}).write(answer))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const client = openConnection(connect(path))
    await expect(client.ask({}, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'LENDER_LOST', message })
    client.close()
    server.close()
  })
})
