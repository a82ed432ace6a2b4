import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { ReadyCheck } from '../model/fleet.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

/** Sends the first text at once, if it is not empty, and each further text after something was received. */
async function serve(answer: (turn: number, connection: number) => string): Promise<number> {
  let connections = 0
  const server = createServer((socket: Socket) => {
    const connection = connections++
    let turn = 0
    const say = (): void => void socket.write(answer(turn++, connection), 'latin1')
    socket.on('error', () => {}).on('data', say)
    say()
  })
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

function wait(checks: readonly ReadyCheck[], port: number, log = '', refusalMs = 30, timeoutMs = 60_000) {
  const address = { host: '127.0.0.1', port }
  const runtime = {
    inspectServer: async () => ({ exitCode: undefined, isOutOfMemory: false }),
    waitServer: async (_: string, options: { signal?: AbortSignal } = {}) =>
      sleep(60_000, 0, { signal: options.signal }),
    async *readLogs() {
      await sleep(1)
      yield { stream: 'stdout', bytes: Buffer.from(`${log}\n`) }
    },
  } as unknown as Runtime
  const reach = { isRemote: false, published: () => address, direct: () => undefined }
  const subject = {
    server: 'db',
    hostname: 'db.test',
    containerId: 'c',
    runtime,
    reach,
    readSecret: async () => 'tr0ub4dor',
  }
  const signal = new AbortController().signal
  return waitUntilReady(subject, { checks, timeoutMs, signal, onAnswer() {}, refusalMs })
}

const login = { port: 1, user: 'app', password: { secret: 'A' } }
const packet = (payload: string): string => `${String.fromCharCode(payload.length)}\0\0\0${payload}`

describe('a refused login ends the wait with the message of the server', () => {
  const pg = (code: string, words: string): string => {
    const fields = `SFATAL\0C${code}\0M${words}\0\0`
    return `E\0\0\0${String.fromCharCode(fields.length + 4)}${fields}`
  }
  const replies =
    (...texts: string[]) =>
    (turn: number): string =>
      texts[turn] ?? ''
  test.each<[ReadyCheck, (turn: number) => string, string]>([
    [{ kind: 'redis', ...login }, replies('', '-WRONGPASS invalid username-password pair\r\n'), 'WRONGPASS'],
    [{ kind: 'redis', port: 1 }, replies('', '-NOAUTH Authentication required.\r\n'), 'NOAUTH'],
    [
      { kind: 'imap', ...login },
      replies('* OK hi\r\n', '+ go\r\n', '+ go\r\n', 'a NO [AUTHENTICATIONFAILED] no\r\n'),
      'AUTHENTICATIONFAILED',
    ],
    [{ kind: 'pop3', ...login }, replies('+OK\r\n', '+OK\r\n', '-ERR [AUTH] no\r\n'), '[AUTH] no'],
    [{ kind: 'smtp', ...login }, replies('220 hi\r\n', '250 AUTH PLAIN\r\n', '535 5.7.8 no\r\n'), '535 5.7.8'],
    [{ kind: 'ftp', ...login }, replies('220 hi\r\n', '331 pass\r\n', '530 Login incorrect.\r\n'), '530 Login'],
    [
      { kind: 'nats', ...login },
      replies('INFO {}\r\n', "-ERR 'Authorization Violation'\r\n"),
      'Authorization Violation',
    ],
    [{ kind: 'mqtt', ...login }, replies('', '\x20\x02\0\x05'), 'not authorized'],
    [{ kind: 'mysql', ...login }, replies(packet('\xff\x6a\x04Host is not allowed to connect')), '1130 Host is not'],
    [{ kind: 'postgres', ...login }, replies('', pg('28000', 'no pg_hba.conf entry for host')), 'no pg_hba.conf entry'],
    [
      { kind: 'postgres', ...login },
      replies('', pg('28P01', 'password authentication failed')),
      'password authentication',
    ],
    [
      { kind: 'ldap', ...login },
      replies('', '0\x0c\x02\x01\x01a\x07\x0a\x01\x31\x04\0\x04\0'),
      'invalidCredentials (49)',
    ],
    [{ kind: 'httpProxy', ...login }, replies('', 'HTTP/1.1 407 Proxy Authentication Required\r\n'), '407'],
    [{ kind: 'socks5', ...login }, replies('', '\x05\x02', '\x01\x01'), 'refuses the login'],
  ])('%j', async (check, answer, words) => {
    await expect(wait([check], await serve(answer))).rejects.toMatchObject({
      code: 'LOGIN_REFUSED',
      exitCode: 4,
      message: expect.stringContaining(words),
    })
  })

  test('but not if the server cannot check logins yet', async () => {
    const failure = { code: 'READY_TIMEOUT' }
    const imap = replies('* OK hi\r\n', '+ go\r\n', '+ go\r\n', 'a NO [UNAVAILABLE] later\r\n')
    const smtp = replies('220 hi\r\n', '250 AUTH PLAIN\r\n', '454 4.7.0 later\r\n')
    await Promise.all([
      expect(wait([{ kind: 'imap', ...login }], await serve(imap), '', 30, 1500)).rejects.toMatchObject(failure),
      expect(wait([{ kind: 'smtp', ...login }], await serve(smtp), '', 30, 1500)).rejects.toMatchObject(failure),
      // The users are created late, and another check reports when.
      expect(
        wait(
          [
            { kind: 'redis', port: 1 },
            { kind: 'log', text: 'users made', isPattern: false },
          ],
          await serve(replies('', '-NOAUTH\r\n')),
          '',
          30,
          1500,
        ),
      ).rejects.toMatchObject(failure),
    ])
  })

  test('but not if the login is accepted soon after', async () => {
    const redis = (turn: number, connection: number): string =>
      turn === 0 ? '' : connection < 5 ? '-NOAUTH\r\n' : '+PONG\r\n'
    expect(await wait([{ kind: 'redis', port: 1 }], await serve(redis), '', 60_000)).toBe(false)
  })
})
