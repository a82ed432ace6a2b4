import { createHook } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { watchSockets } from '../../tests/support/open-sockets.ts'
import type { HttpCheck } from '../model/fleet.ts'
import { probeHttp } from './http.ts'
import { poll } from './poll.ts'
import type { Answer, Probe, Reach } from './probe.ts'
import { probeTcp } from './tcp.ts'

const open: { close(): void }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** A real server at a free port of this machine. */
async function serve(onConnection: (socket: Socket) => void, server: Server = createServer()): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  open.push({
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
  const port = await serve(() => {})
  open.pop()?.close()
  return port
}

/** As if the port were reached through the engine's proxy (published), or on its own network (direct). */
function reach(port: number, route: 'published' | 'direct' | 'both', isRemote = false): Reach {
  const address = { host: '127.0.0.1', port }
  return {
    isRemote,
    published: () => (route === 'direct' ? undefined : address),
    direct: () => (route === 'published' ? undefined : address),
  }
}

function tcpProbe(port: number, expected?: string, send?: string, route: 'published' | 'direct' = 'published'): Probe {
  return probeTcp({ kind: 'tcp', port: 80, send, expect: expected }, reach(port, route))
}

function httpProbe(port: number, changes: Partial<HttpCheck> = {}): Probe {
  const check: HttpCheck = { kind: 'http', port: 80, path: '/', status: [], headers: {}, body: undefined, ...changes }
  return probeHttp(check, { reach: reach(port, 'published'), hostname: 'web.fleet.test' })
}

const never = new AbortController().signal
/** For a try that must time out. Any other has all the time that it needs on a busy machine. */
const PATIENCE_MS = 200

async function answerOf(probe: Probe, patienceMs = 15_000): Promise<string> {
  return describeConnectionError(await probe(never, patienceMs))
}

/** Runs it on a clock that goes on only while nothing is sent: a busy machine takes no time of it. */
async function onOwnClock<T>(run: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    let isDone = false
    const result = run().finally(() => {
      isDone = true
    })
    result.catch(() => {})
    while (!isDone) {
      for (let turns = 0; turns < 10; turns++) await nextTurn()
      vi.advanceTimersByTime(5)
    }
    return await result
  } finally {
    vi.useRealTimers()
  }
}

const timedAnswerOf = (probe: Probe, patienceMs?: number) => onOwnClock(() => answerOf(probe, patienceMs))

function describeConnectionError(answer: Answer): string {
  return answer.isReady ? 'ready' : answer.answer
}

/** Whether the end of a connection of this machine has arrived at its client: its state is CLOSE_WAIT. */
function hasEnded(clientPort: number, serverPort: number): boolean {
  const [client, server] = [clientPort, serverPort].map((port) => port.toString(16).toUpperCase().padStart(4, '0'))
  return new RegExp(`:${client} [0-9A-F]{8}:${server} 08 `).test(readFileSync('/proc/net/tcp', 'latin1'))
}

describe('a tcp probe', () => {
  test('reports a refused connection', async () => {
    const port = await freePort()
    expect(await answerOf(tcpProbe(port))).toBe('connection refused')
    expect(await answerOf(tcpProbe(port, 'x'))).toBe('connection refused')
  })

  test('passes for a connection that stays open', async () => {
    const port = await serve(() => {})
    expect(await timedAnswerOf(tcpProbe(port))).toBe('ready')
    expect(await answerOf(tcpProbe(port, undefined, undefined, 'direct'))).toBe('ready')
  })

  test('passes for a connection that was taken while this process was busy for longer than that may take', async () => {
    const port = await serve(() => {})
    const work = (): void => {
      for (const untilMs = performance.now() + 400; performance.now() < untilMs; );
    }
    const hook = createHook({ init: (_, kind) => void (kind === 'TCPCONNECTWRAP' && queueMicrotask(work)) }).enable()
    try {
      expect(await answerOf(tcpProbe(port), 500)).toBe('ready')
    } finally {
      hook.disable()
    }
  })

  test('does not pass for a connection that is closed at once, as by a proxy without a server', async () => {
    const closed = await serve((socket) => socket.end())
    expect(await timedAnswerOf(tcpProbe(closed))).toBe('takes the connection and closes it at once')
    expect(await answerOf(tcpProbe(closed, 'x'))).toBe('closes the connection')
    const reset = await serve((socket) => socket.resetAndDestroy())
    expect(await timedAnswerOf(tcpProbe(reset))).toMatch(/closes it at once|reset/)
  })

  test('does not pass for a connection whose end has arrived and was not read in time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    using _ = { [Symbol.dispose]: () => void vi.useRealTimers() }
    // Not a spy, which would bring this clock back whenever spies are restored.
    const { setTimeout: begin } = globalThis
    let begun = 0
    globalThis.setTimeout = ((...given: Parameters<typeof begin>) => {
      begun++
      return begin(...given)
    }) as typeof begin
    const closeAndWork = async (socket: Socket): Promise<void> => {
      // The first is for the connection, the second for how long it has to stay open.
      while (begun < 2) await nextTurn()
      const { localPort = 0, remotePort = 0 } = socket
      socket.destroy()
      // This process is busy: its timer is over and the end has arrived before it reads anything.
      while (!hasEnded(remotePort, localPort));
      vi.advanceTimersByTime(60_000)
    }
    const port = await serve((socket) => void closeAndWork(socket))
    expect(await answerOf(tcpProbe(port))).toBe('takes the connection and closes it at once')
  })

  test('passes for a server that sends text and closes the connection', async () => {
    const port = await serve((socket) => socket.end('hello\n'))
    expect(await answerOf(tcpProbe(port))).toBe('ready')
    expect(await answerOf(tcpProbe(port, 'hello'))).toBe('ready')
    expect(await answerOf(tcpProbe(port, 'goodbye'))).toBe('says "hello\\n", and closes')
  })

  test('finds a text that arrives in pieces, with bytes above 127', async () => {
    const port = await serve((socket) => {
      for (const [index, byte] of [0x50, 0xff, 0x47].entries())
        setTimeout(() => socket.write(Buffer.of(byte)), index * 5)
    })
    expect(await answerOf(tcpProbe(port, 'P\u00ffG'))).toBe('ready')
  })

  test('sends bytes, one for each character', async () => {
    const heard: Buffer[] = []
    const port = await serve((socket) => socket.on('data', (bytes) => heard.push(bytes) && socket.write('ok')))
    expect(await answerOf(tcpProbe(port, 'ok', '\u0000\u00ff\r\n'))).toBe('ready')
    expect(Buffer.concat(heard)).toEqual(Buffer.of(0, 255, 13, 10))
  })

  test('waits for a silent server, but not long after a wrong text', async () => {
    const late = await serve((socket) => void setTimeout(() => socket.write('x'), 290))
    expect(await timedAnswerOf(tcpProbe(late, 'x'), 250)).toBe('says nothing')
    expect(await timedAnswerOf(tcpProbe(late, 'x'), 350)).toBe('ready')
    const patience = { connectMs: 15_000, onWait() {} }
    const mute = await tcpProbe(await serve(() => {}), 'x')(never, 50, patience)
    expect(mute).toEqual({ isReady: false, answer: 'says nothing', isSilent: true })
    const loading = await serve((socket) => {
      socket.write('-LOADING\r\n')
      setTimeout(() => socket.write('+PONG\r\n'), 600)
    })
    expect(await timedAnswerOf(tcpProbe(loading, '+PONG'))).toBe('says "-LOADING\\r\\n"')
  })

  test('ends in time although the server never stops sending', async () => {
    const port = await serve((socket) => {
      const say = (): void => void (socket.destroyed || (socket.write('noise ') && setTimeout(say, 5)))
      say()
    })
    expect(await timedAnswerOf(tcpProbe(port, 'signal'), 300)).toMatch(/^says "noise (?:noise )*/)
  })
})

describe('a tcp probe to a remote engine', () => {
  const farProbe = (port: number, isRemote: boolean, expected?: string): Probe =>
    probeTcp({ kind: 'tcp', port: 80, send: undefined, expect: expected }, reach(port, 'published', isRemote))

  /** Accepts connections at once and forwards everything later, as a tunnel to a distant machine does. */
  async function relay(to: number, delayMs: number): Promise<number> {
    return serve((near) => {
      near.pause()
      setTimeout(() => {
        const far = connect(to, '127.0.0.1')
        const end = (): void => void setTimeout(() => near.destroy(), delayMs)
        far.on('data', (bytes) => setTimeout(() => near.write(bytes), delayMs))
        far.once('error', end).once('end', end)
        near.once('close', () => far.destroy()).resume()
      }, delayMs)
    })
  }

  test('does not pass when the connection closes late because of the distance', async () => {
    const proxy = await serve((socket) => socket.end())
    const far = await relay(proxy, 70)
    expect(await timedAnswerOf(farProbe(far, true))).toBe('takes the connection and closes it at once')
  })

  test('passes for a remote server', async () => {
    const far = await relay(await serve((socket) => socket.write('220 hello\r\n')), 70)
    expect(await timedAnswerOf(farProbe(far, true))).toBe('ready')
    expect(await timedAnswerOf(farProbe(far, true, '220'), 1000)).toBe('ready')
    expect(await timedAnswerOf(farProbe(await relay(await serve(() => {}), 70), true))).toBe('ready')
  })

  /**
   * A port whose connections take a second: its backlog is full, so that the kernel drops the first packet and accepts
   * the one that is sent again. After `accept`, every connection is accepted, and closed a tenth of a second later.
   */
  async function serveLate(): Promise<{ port: number; accept(): Promise<void> }> {
    const program = `
      const server = require('node:net').createServer((socket) => setTimeout(() => socket.destroy(), 100))
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        require('node:fs').writeSync(1, String(server.address().port))
        require('node:fs').readSync(0, Buffer.alloc(1))
      })`
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    open.push({ close: () => child.kill('SIGKILL') })
    const [text] = await once(child.stdout, 'data')
    const port = Number(text)
    for (let count = 0; count < 4; count++) {
      const filler = connect(port, '127.0.0.1').on('error', () => {})
      open.push({ close: () => filler.destroy() })
    }
    // Two of them are in the backlog.
    await waitForDropped(port, 2)
    return {
      port,
      async accept() {
        await waitForDropped(port, 3)
        child.stdin.write('x')
      },
    }
  }

  /** Waits until that many connections to this port of this machine wait for an answer to their first packet. */
  function waitForDropped(port: number, count: number): Promise<void> {
    const isWaiting = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} 02 `, 'g')
    const read = async () => (await readFile('/proc/net/tcp', 'latin1')).match(isWaiting)?.length ?? 0
    return vi.waitFor(async () => expect(await read()).toBe(count), { interval: 5, timeout: 15_000 })
  }

  test('waits for a connection that takes a second', async () => {
    const late = await serveLate()
    const answer = answerOf(farProbe(late.port, true))
    await late.accept()
    expect(await answer).toBe('takes the connection and closes it at once')
  })

  test('gives a slow connection to a seemingly local engine more time with each attempt', async () => {
    const late = await serveLate()
    expect(await farProbe(late.port, false)(never, 1000)).toEqual({
      isReady: false,
      answer: 'does not take the connection',
      isSilent: true,
    })
    // The time that the connection took shows how late its end can come.
    const answer = answerOf(farProbe(late.port, false), 100_000)
    await late.accept()
    expect(await answer).toBe('takes the connection and closes it at once')
  })
})

describe('a tcp probe at its deadline', () => {
  test('reports the answer of the server, not that testfleet closed the connection', async () => {
    const answers: string[] = []
    const mute = await serve(() => {})
    const deadline = new AbortController()
    const polled = onOwnClock(() => {
      setTimeout(() => deadline.abort(), 90)
      return poll(tcpProbe(mute, '220'), deadline.signal, (answer) => answers.push(answer))
    })
    await expect(polled).rejects.toThrow()
    expect(answers).toEqual(['says nothing'])
  })

  test('reports nothing for an attempt that was cut short', async () => {
    const answers: string[] = []
    const port = await serve(() => {})
    const remote = probeTcp(
      { kind: 'tcp', port: 80, send: undefined, expect: undefined },
      reach(port, 'published', true),
    )
    await expect(poll(remote, AbortSignal.timeout(100), (answer) => answers.push(answer))).rejects.toThrow()
    expect(answers).toEqual([])
  })
})

describe('an http probe', () => {
  test('gives up on a server that sends interim answers endlessly', async () => {
    let sentBytes = 0
    const port = await serve((socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000))) sentBytes += 25_000
      }
      socket.on('drain', flood).once('data', flood)
    })
    const answer = await httpProbe(port)(new AbortController().signal, 60_000)
    expect(answer).toMatchObject({ isReady: false, answer: 'answers 100 again and again' })
    expect(sentBytes).toBeLessThan(50_000_000)
  })

  test('waits for the final answer after a few interim answers', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'
    const port = await serve((socket) => {
      socket.once('data', () => socket.end(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`))
    })
    expect(await httpProbe(port)(new AbortController().signal, 60_000)).toEqual({ isReady: true })
  })

  async function answerWith(status: number, headers: Record<string, string> = {}, body = ''): Promise<number> {
    return serve(
      () => {},
      createHttpServer((_, response) => response.writeHead(status, headers).end(body)),
    )
  }

  test('reports a missing listener, a missing answer, and a cut answer', async () => {
    expect(await answerOf(httpProbe(await freePort()))).toBe('connection refused')
    const silence = { isReady: false, answer: 'does not answer', isSilent: true }
    expect(await httpProbe(await serve(() => {}))(never, PATIENCE_MS)).toEqual(silence)
    expect(await answerOf(httpProbe(await serve((socket) => socket.end())))).toBe('closes the connection')
    const cut = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'))
    expect(await answerOf(httpProbe(cut))).toBe('closes the connection after 25 bytes, in the middle of its answer')
  })

  test.each([
    [200, 'ready'],
    [204, 'ready'],
    [302, 'ready'],
    [401, 'answers 401'],
    [503, 'answers 503'],
  ])('judges the status %i when the check names none', async (status, words) => {
    expect(await answerOf(httpProbe(await answerWith(status)))).toBe(words)
  })

  test('passes only for the status of the check', async () => {
    const port = await answerWith(401)
    expect(await answerOf(httpProbe(port, { status: [401, 407] }))).toBe('ready')
    expect(await answerOf(httpProbe(port, { status: [200] }))).toBe('answers 401')
  })

  test('compares headers regardless of the case of their names, by a part of the value', async () => {
    const port = await answerWith(200, { 'X-Name': 'squid (ready)' })
    expect(await answerOf(httpProbe(port, { headers: { 'x-nAME': 'ready' } }))).toBe('ready')
    const unlike = httpProbe(port, { headers: { 'X-Name': 'nginx' } })
    expect(await answerOf(unlike)).toBe('answers 200 without "nginx" in its header X-Name')
    expect(await answerOf(httpProbe(port, { headers: { 'X-Other': '' } }))).toMatch(/^answers 200 without/)
    expect(await answerOf(httpProbe(port, { headers: { 'X-Name': '' } }))).toBe('ready')
  })

  test('compares the body as UTF-8, up to a megabyte', async () => {
    expect(await answerOf(httpProbe(await answerWith(200, {}, 'größe'), { body: 'ß' }))).toBe('ready')
    const long = await answerWith(200, {}, `${'x'.repeat(3_000_000)}end`)
    expect(await answerOf(httpProbe(long, { body: 'end' }))).toMatch(
      /^answers 200 without "end" in the first \d{7} bytes of its body$/,
    )
  })

  test('judges an endless body as it arrives', async () => {
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
    const port = await serve((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('data: hel')}`)
      setTimeout(() => socket.write(chunk('lo\n\n')), 20)
    })
    expect(await answerOf(httpProbe(port, { body: 'hello' }))).toBe('ready')
    // The second part may come too late for this try, on a busy machine.
    const unlike = /^answers 200 without "goodbye" in the first (?:9|13) bytes of its body, which has not ended$/
    const quiet = { connectMs: PATIENCE_MS, onWait() {} }
    const answer = await httpProbe(port, { body: 'goodbye' })(never, 15_000, quiet)
    expect(describeConnectionError(answer)).toMatch(unlike)
    expect(await answerOf(httpProbe(port))).toBe('ready')
    const flood = await serve((socket) => {
      const write = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      }
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n') && write()).on('drain', write)
    })
    expect(await answerOf(httpProbe(flood, { body: 'y' }))).toMatch(/in the first 1\d{6} bytes of its body$/)
    const cut = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'))
    expect(await answerOf(httpProbe(cut, { body: 'hello' }))).toBe('ready')
    expect(await answerOf(httpProbe(cut, { body: 'y' }))).toBe('answers 200 without "y" in its body, which breaks off')
  })

  test('reports a wrong status at once, with a summary of the answer', async () => {
    const head = 'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n'
    const endless = await serve((socket) => socket.write(`${head}8\r\nstarting\r\n`))
    expect(await answerOf(httpProbe(endless, { body: 'x' }))).toBe('answers 503: "starting"')
    const page = await answerWith(400, {}, '<html><head><title>Bad Host</title></head>')
    expect(await answerOf(httpProbe(page))).toBe('answers 400: "Bad Host"')
    const moved = await answerWith(302, { Location: '/login' })
    expect(await answerOf(httpProbe(moved, { status: [200] }))).toBe('answers 302 with the location "/login"')
  })

  test.each([
    ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'ready'],
    ['HTTP/1.0 200 OK\n\nok', 'ready'],
    ['HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\nok', 'ready'],
    ['SSH-2.0-x\r\n', 'speaks SSH, not HTTP/1: says "SSH-2.0-x\\r\\n"'],
    ['-ERR unknown command\r\n', 'speaks the protocol of Redis, not HTTP/1: says "-ERR unknown command\\r\\n"'],
    ['\x15\x03\x03\0\x02\x02\x46', 'speaks TLS, not HTTP/1: says "\\u0015\\u0003\\u0003\\u0000\\u0002\\u0002F"'],
    ['\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64', expect.stringMatching(/^speaks HTTP\/2 alone, not HTTP\/1: says /)],
    ['<html>0.9</html>', 'does not speak HTTP/1: says "<html>0.9</html>"'],
    ['HTTP/1.1 200 OK\r\nA B: x\r\n\r\n', 'answers in HTTP/1 with a mistake (Invalid header token)'],
  ])('judges the answer %j', async (said, words) => {
    const port = await serve((socket) => socket.once('data', () => socket.end(said, 'latin1')))
    expect(await answerOf(httpProbe(port, { body: words === 'ready' ? 'ok' : undefined }))).toEqual(words)
  })

  test('sends the headers of the check', async () => {
    const asked: unknown[] = []
    const server = createHttpServer(({ headers }, response) => {
      asked.push(headers)
      response.writeHead(headers.host === 'shop.example' ? 200 : 400).end()
    })
    const port = await serve(() => {}, server)
    expect(await answerOf(httpProbe(port))).toBe('answers 400')
    expect(await answerOf(httpProbe(port, { requestHeaders: { HOST: 'shop.example', accept: 'a/b' } }))).toBe('ready')
    expect(asked[1]).toEqual({ host: 'shop.example', accept: 'a/b', 'user-agent': 'testfleet', connection: 'close' })
  })

  test("sends the server's own name as host, and an unchanged path", async () => {
    const asked: string[] = []
    const server = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`)
      response.end()
    })
    const port = await serve(() => {}, server)
    expect(await answerOf(httpProbe(port, { path: '/a%20b?c=d' }))).toBe('ready')
    expect(asked).toEqual(['GET /a%20b?c=d web.fleet.test'])
  })
})

describe('an attempt that has ended', () => {
  test.each([
    // A plain connection would succeed at once: it is cancelled before it is established.
    ['tcp', tcpProbe, 0],
    ['tcp with `expect`', (port: number) => tcpProbe(port, 'x'), 30],
    ['http', httpProbe, 30],
    ['https', (port: number) => httpProbe(port, { kind: 'https' }), 30],
  ] as const)('leaves no socket when it is cancelled: %s', async (_, probe, afterMs) => {
    using sockets = watchSockets()
    const port = await serve(() => {})
    const abort = new AbortController()
    const held = poll(probe(port), abort.signal, () => {})
    if (afterMs > 0) await sleep(afterMs)
    abort.abort(new Error('enough'))
    await expect(held).rejects.toThrow()
    for (const one of open.splice(0)) one.close()
    await expect.poll(() => sockets.countOpen()).toEqual({ tcp: 0, others: 0 })
  })

  test('leaves nothing after a timeout or a success', async () => {
    using sockets = watchSockets()
    const port = await serve((socket) => socket.write('hello'))
    await answerOf(tcpProbe(port, 'hello'))
    await answerOf(tcpProbe(port, 'goodbye'), PATIENCE_MS)
    await answerOf(tcpProbe(port))
    await answerOf(httpProbe(await serve(() => {})), PATIENCE_MS)
    for (const one of open.splice(0)) one.close()
    await expect.poll(() => sockets.countOpen()).toEqual({ tcp: 0, others: 0 })
  })
})
