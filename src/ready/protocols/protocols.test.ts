import { createHash, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../tests/support/eventually.ts'
import { watchSockets } from '../../../tests/support/open-sockets.ts'
import { propertyRuns } from '../../../tests/support/property-runs.ts'
import { lastTurn, radiusSecret, recordedAnswer } from '../../../tests/support/recorded-answers.ts'
import { fleetFileSchema } from '../../model/fleet-file.ts'
import { type ProtocolCheck, type ProtocolName, protocolNames } from '../../model/protocols.ts'
import type { Answer, Target } from '../probe.ts'
import { hide, probeProtocol } from '../run-check.ts'

const open: (() => void)[] = []

afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** Says what comes of `speak` for every piece that it hears; for the first, before it has heard any, of nothing. */
type Speak = (heard: Buffer, count: number) => Uint8Array | string | undefined

async function serveTcp(speak: Speak, isEndedAfter = Number.POSITIVE_INFINITY): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let count = 0
    const answer = (heard: Buffer): void => {
      const said = speak(heard, count++)
      if (said !== undefined && said.length > 0) socket.write(said)
      if (count > isEndedAfter) socket.end()
    }
    sockets.add(socket)
    socket.on('error', () => {}).on('data', answer)
    answer(Buffer.alloc(0))
  })
  open.push(() => {
    // One that the kernel has taken already comes all the same.
    server.close().on('connection', (socket: Socket) => socket.destroy())
    for (const socket of sockets) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function serveUdp(speak: Speak): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (heard, from) => {
    const said = speak(heard, 1)
    if (said !== undefined) socket.send(said, from.port, from.address)
  })
  open.push(() => socket.close())
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return socket.address().port
}

const overUdp = new Set<ProtocolName>(['coap', 'dns', 'kerberos', 'ntp', 'radius', 'sip', 'snmp', 'stun', 'tftp'])

function serve(kind: ProtocolName, speak: Speak, isEndedAfter?: number): Promise<number> {
  return overUdp.has(kind) ? serveUdp(speak) : serveTcp(speak, isEndedAfter)
}

function targetAt(port: number, secret = radiusSecret): Target {
  const address = { host: '127.0.0.1', port }
  return {
    hostname: 'server.fleet.test',
    reach: { isRemote: false, published: () => address, direct: () => address },
    readSecret: async () => secret,
  }
}

/** Fields that each check requires. */
const needed: Partial<Record<ProtocolName, object>> = {
  dns: { name: 'www.one.test' },
  // Recorded with a login.
  redis: { password: { secret: 'GOOD' } },
  kerberos: { realm: 'ONE.TEST' },
  radius: { secret: { secret: 'GOOD' } },
  tftp: { file: 'hello' },
  xmpp: { domain: 'one.test' },
}

function checkOf(kind: ProtocolName, more: object = needed[kind] ?? {}): ProtocolCheck {
  return { kind, port: 1, ...more } as ProtocolCheck
}

const never = new AbortController().signal
/** For a try that must use it up. */
const PATIENCE_MS = 60
/** In SSH, a server may say more before its version, so a try with another server lasts until its end. */
const SSH_MS = 300

function ask(check: ProtocolCheck, port: number, patienceMs = 5000): Promise<Answer> {
  return probeProtocol(check, targetAt(port))(never, patienceMs)
}

async function describeConnectionError(answer: Promise<Answer>): Promise<string> {
  const answered = await answer
  return answered.isReady ? 'ready' : answered.answer
}

/** Starts of answers so short that random bytes can be a whole one: any of these methods; a CONNACK. */
const shortAnswers: Readonly<Record<string, readonly (readonly number[])[]>> = {
  socks5: [
    [5, 0],
    [5, 2],
  ],
  mqtt: [[0x20, 2]],
}

describe.each(protocolNames)('the probe of %s', (kind) => {
  test('reports a refused connection', async () => {
    const port = await serve(kind, () => undefined)
    open.pop()?.()
    // Its answers come from elsewhere, so that no port reports that nothing listens.
    const isSilent = kind === 'tftp'
    expect(await describeConnectionError(ask(checkOf(kind), port, isSilent ? PATIENCE_MS : undefined))).toBe(
      isSilent ? 'does not answer' : 'connection refused',
    )
  })

  test('does not pass for a silent server', async () => {
    const port = await serve(kind, () => undefined)
    const silent = { isReady: false, answer: 'does not answer', isSilent: true }
    // On a busy machine, a short try may end before it is connected.
    await eventually(async () => expect(await ask(checkOf(kind), port, PATIENCE_MS)).toEqual(silent))
  })

  test('does not pass for a server of another protocol', async () => {
    const port = await serve(kind, () => 'HTTP/1.1 400 Bad Request\r\n\r\n')
    const says = /^says "HTTP\/1\.1 400 Bad Request/
    const answer = () => describeConnectionError(ask(checkOf(kind), port, kind === 'ssh' ? SSH_MS : 60_000))
    // On a busy machine, the greeting may come only after the end of a short try.
    await eventually(async () => expect(await answer()).toMatch(says))
  })

  test('never passes for meaningless bytes', async () => {
    const meaningful = shortAnswers[kind] ?? []
    const bytes = fc.oneof(
      fc
        .uint8Array({ maxLength: 80 })
        .filter((value) => !meaningful.some((answer) => answer.every((byte, at) => value[at] === byte))),
      fc.string({ maxLength: 80 }).map((text) => `${text}\r\n`),
    )
    let said: Uint8Array | string = ''
    const port = await serve(kind, () => said, 0)
    await fc.assert(
      fc.asyncProperty(bytes, async (value) => {
        said = value
        expect(await ask(checkOf(kind), port)).toMatchObject({ isReady: false, isSilent: false })
      }),
      { numRuns: propertyRuns(60) },
    )
  })

  test('passes for the recorded answer of a real server', async () => {
    const port = await serve(kind, (heard, count) => recordedAnswer(kind, heard, count))
    expect(await ask(checkOf(kind), port)).toEqual({ isReady: true })
  })

  test('never throws for a recorded answer with an error in it, or a cut one', async () => {
    let [at, wrong, length] = [0, 0, 0]
    const last = lastTurn(kind)
    const spoil = (answer: Buffer | undefined): Buffer | undefined => {
      if (answer === undefined || answer.length === 0) return answer
      const spoilt = Buffer.from(answer)
      spoilt[at % spoilt.length] = wrong
      return spoilt.subarray(0, 1 + (length % spoilt.length))
    }
    const speak: Speak = (heard, count) => {
      const answer = recordedAnswer(kind, heard, count)
      return count < last ? answer : spoil(answer)
    }
    const port = await serve(kind, speak, last)
    await fc.assert(
      fc.asyncProperty(fc.nat(500), fc.nat(255), fc.nat(2000), async (...values) => {
        ;[at, wrong, length] = values
        expect(await ask(checkOf(kind), port)).toHaveProperty('isReady')
      }),
      { numRuns: propertyRuns(40) },
    )
  })

  test('ends with its signal, and leaves no socket', async () => {
    using sockets = watchSockets()
    const port = await serve(kind, () => undefined)
    const abort = new AbortController()
    const answer = probeProtocol(checkOf(kind), targetAt(port))(abort.signal, 10_000)
    await sleep(10)
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    for (const close of open.splice(0)) close()
    await expect.poll(() => sockets.countOpen(), { interval: 5 }).toEqual({ tcp: 0, others: 0 })
  })
})

describe('a password in a ready check', () => {
  const login = { user: 'alice', password: { secret: 'GOOD' } }
  const echo = (greeting: string) => (heard: Buffer, count: number) => (count === 0 ? greeting : `500 what? ${heard}`)

  test('is not in the reported answer of a server that repeats it', async () => {
    const port = await serveTcp(echo('220 hello\r\n'))
    expect(await describeConnectionError(ask(checkOf('smtp'), port))).toBe('says "500 what? EHLO [127.0.0.1]"')
    const redis = await serveTcp(echo(''))
    const answer = await ask(checkOf('redis', { password: { secret: 'GOOD' } }), redis)
    expect(JSON.stringify(answer)).not.toContain('secret-good')
    const ftp = await serveTcp((heard, count) =>
      (count < 2 ? ['220 hello', '331 go on'][count] : `530 ${heard}`)?.concat('\r\n'),
    )
    expect(await describeConnectionError(ask(checkOf('ftp', login), ftp))).toBe('says "530 PASS …"')
  })

  test('is masked even if it is cut or escaped', () => {
    expect(hide('says "530 PASS secret-g…"', 'secret-good')).toBe('says "530 PASS ……"')
    expect(hide('says "a\\"b\\\\c, a\\"b"', 'a"b\\c')).toBe('says "…, …"')
    expect(hide('says "abc"', 'abc')).toBe('says "…"')
    expect(hide('says "hello"', '')).toBe('says "hello"')
  })

  test.each(['ftp', 'pop3'] as const)('with a line end and a second command is not sent: %s', async (kind) => {
    const heard: string[] = []
    const port = await serveTcp((bytes, count) => {
      heard.push(bytes.toString())
      return { ftp: ['220 hello\r\n', '331 go on\r\n'], pop3: ['+OK\r\n', '+OK\r\n'] }[kind][count]
    })
    const target = targetAt(port, 'one\r\nDELE 1')
    const answer = probeProtocol(checkOf(kind, login), target)(never, 5000)
    expect(await describeConnectionError(answer)).toBe('cannot be sent a password of more than one line')
    expect(heard.join('')).not.toContain('DELE')
  })

  test('is sent to IMAP unchanged, with its length', async () => {
    const heard: string[] = []
    const port = await serveTcp((bytes, count) => {
      heard.push(bytes.toString())
      return ['* OK hello\r\n', '+ go on\r\n', '+ go on\r\n', 'a OK\r\n'.replace('OK', 'OK done')][count]
    })
    const answer = probeProtocol(checkOf('imap', login), targetAt(port, 'ö"\r\nb LOGOUT'))(never, 5000)
    expect(await describeConnectionError(answer)).toBe('ready')
    expect(heard.slice(0, 4)).toEqual(['', 'a LOGIN {5}\r\n', 'alice {13}\r\n', 'ö"\r\nb LOGOUT\r\n'])
  })
})

describe('a protocol check in a fleet file', () => {
  const read = (check: object) =>
    fleetFileSchema.safeParse({ servers: { one: { image: 'debian:bookworm-slim', ready: [check] } } })
  const login = { user: 'alice', password: { secret: 'GOOD' } }

  test.each(protocolNames)('%s accepts a port and its required keys, and no others', (kind) => {
    expect(read({ [kind]: { port: 1, ...needed[kind] } })).toMatchObject({ success: true })
    expect(read({ [kind]: { port: 1, ...needed[kind], more: 1 } })).toMatchObject({ success: false })
    expect(read({ [kind]: 70_000 })).toMatchObject({ success: false })
  })

  const withLogin = protocolNames.filter((kind) => read({ [kind]: { port: 1, ...login } }).success)

  test.each(withLogin)('%s needs a password for a user', (kind) => {
    expect(read({ [kind]: { port: 1, user: 'alice' } })).toMatchObject({ success: false })
    expect(read({ [kind]: { port: 1, password: login.password } }).success).toBe(kind === 'redis')
    expect(read({ [kind]: { port: 1, ...login, user: 'alice\r\nQUIT' } })).toMatchObject({ success: false })
  })

  test('refuses keys that have no effect without a login, and an invalid port', () => {
    expect(withLogin).toHaveLength(13)
    for (const check of [
      { amqp: { port: 1, vhost: 'one' } },
      { postgres: { port: 1, database: 'one' } },
      { socks5: { port: 1, to: 'web.test:70000' } },
      { httpProxy: { port: 1, to: 'web.test' } },
    ])
      expect(read(check)).toMatchObject({ success: false })
  })
})

describe('the probe of SMB', () => {
  const answer = recordedAnswer('smb', Buffer.alloc(0), 1) ?? Buffer.alloc(0)
  /** The recorded answer with these bytes in the place of its own; its message begins at 4. */
  const answerWith = (at: number, ...bytes: number[]): Buffer => {
    const spoilt = Buffer.from(answer)
    Buffer.from(bytes).copy(spoilt, at)
    return spoilt
  }
  const hear = async (said: Buffer): Promise<string> => {
    const port = await serveTcp((_, count) => (count === 0 ? undefined : said))
    return describeConnectionError(ask(checkOf('smb'), port))
  }

  test('passes for any dialect that it offered, and no other', async () => {
    for (const [high, low] of [
      [0x02, 0x02],
      [0x02, 0x10],
      [0x03, 0x00],
      [0x03, 0x02],
      [0x03, 0x11],
    ] as const)
      expect(await hear(answerWith(72, low, high))).toBe('ready')
    expect(await hear(answerWith(72, 0xff, 0x02))).toMatch(/^says /)
  })

  test('does not pass for an error, or for SMB 1', async () => {
    // STATUS_NOT_SUPPORTED, with the body of an error.
    const error = Buffer.concat([Buffer.from([0, 0, 0, 73]), answerWith(12, 0xbb, 0, 0, 0xc0).subarray(4, 68)])
    const body = Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(await hear(Buffer.concat([error, body]))).toBe('answers the status 0xc00000bb')
    expect(await hear(answerWith(4, 0xff))).toMatch(/^says ".*ÿSMB/)
  })

  test('does not pass for an answer to another request', async () => {
    // Another command, what a client has said, another message, another kind of body, and one without an end.
    for (const [at, byte] of [
      [16, 1],
      [20, 0],
      [28, 1],
      [68, 9],
      [1, 1],
    ] as const)
      expect(await hear(answerWith(at, byte))).toMatch(/^says /)
  })
})

describe('the probe of XMPP', () => {
  const head = "<?xml version='1.0'?><stream:stream from='one.test' xmlns='jabber:client'>"
  const namespace = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
  const answerTo = async (said: string, patienceMs?: number) =>
    describeConnectionError(
      ask(checkOf('xmpp'), await serveTcp((_, count) => (count === 1 ? said : undefined)), patienceMs),
    )

  test('reports why the server refuses the stream', async () => {
    const error = `<stream:error><host-unknown ${namespace}/></stream:error></stream:stream>`
    expect(await answerTo(head + error)).toBe('refuses the stream: host-unknown')
    expect(await answerTo(`${head}<stream:error></stream:error>`)).toBe('refuses the stream: it does not say why')
  })

  test('passes for empty features and white space between tags, but not for the opening tag alone', async () => {
    expect(await answerTo(`${head}\n <stream:features/>`)).toBe('ready')
    await eventually(async () =>
      expect(await answerTo(head, PATIENCE_MS)).toMatch(/^says "<\?xml version='1\.0'\?>.*, and no more$/),
    )
    await eventually(async () => expect(await answerTo(`${head}<message>`, PATIENCE_MS)).toMatch(/^says "<\?xml/))
    expect(await answerTo('<html><stream:features>')).toBe('says "<html><stream:features>"')
  })

  test('gives up on a tag that never ends', async () => {
    expect(await answerTo(`<${'a'.repeat(10_000)}`)).toMatch(/^says "<aaa/)
  })
})

describe('a login with caching_sha2_password, which MySQL has and MariaDB does not', () => {
  const check = checkOf('mysql', { user: 'alice', password: { secret: 'GOOD' } })
  const salt = Buffer.from('abcdefghijklmnopqrst')
  const greeting = Buffer.concat([
    Buffer.from('\x0a8.0.0\0\x01\0\0\0', 'latin1'),
    salt.subarray(0, 8),
    Buffer.concat([Buffer.from([0, 0xff, 0xff, 45, 2, 0, 0xff, 0xc7, 21]), Buffer.alloc(10)]),
    Buffer.concat([salt.subarray(8), Buffer.from('\0caching_sha2_password\0')]),
  ])
  const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0])
  const packet = (number: number, payload: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([payload.length & 0xff, payload.length >> 8, 0, number]), payload])

  test('succeeds if the server has cached it', async () => {
    const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
    const once = sha(Buffer.from(radiusSecret))
    const by = sha(sha(once), salt)
    const proof = Buffer.from(once.map((byte, index) => byte ^ (by[index] ?? 0)))
    const port = await serveTcp((heard, count) => {
      if (count === 0) return packet(0, greeting)
      if (count === 1 && !heard.includes(proof)) return packet(2, Buffer.from('\xff\x15\x04#28000no', 'latin1'))
      return count === 1 ? Buffer.concat([packet(2, Buffer.of(1, 3)), packet(3, ok)]) : packet(1, ok)
    })
    expect(await describeConnectionError(ask(check, port))).toBe('ready')
    const wrong = probeProtocol(check, targetAt(port, 'another'))(never, 5000)
    expect(await describeConnectionError(wrong)).toBe('says "1045 no"')
  })

  test("succeeds with a full authentication, encrypted with the server's key", async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    let seen = ''
    const port = await serveTcp((heard, count) => {
      if (count === 3) {
        const hidden = privateDecrypt(privateKey, heard.subarray(4))
        seen = Buffer.from(hidden.map((byte, index) => byte ^ (salt[index % salt.length] ?? 0))).toString()
      }
      const key = Buffer.concat([Buffer.of(1), Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))])
      return [packet(0, greeting), packet(2, Buffer.of(1, 4)), packet(4, key), packet(6, ok), packet(1, ok)][count]
    })
    expect(await describeConnectionError(ask(check, port))).toBe('ready')
    expect(seen).toBe(`${radiusSecret}\0`)
  })
})
