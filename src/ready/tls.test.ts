import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { makeAuthority } from '../certificates/make-certificates.ts'
import { probeHttp } from './http.ts'
import { probeProtocol } from './run-check.ts'
import { type ClientCertificate, wordTlsError } from './tls.ts'

const nowMs = Date.now()
const fleet = makeAuthority('shop', ['web.shop.test'], nowMs)
// Nothing verifies the server's certificate.
const own = { key: fleet.clientKey, chain: fleet.clientCertificate }
const shop: ClientCertificate = { cert: fleet.clientCertificate, key: fleet.clientKey }

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  open.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const serve = (options: TlsOptions): Promise<number> =>
  listen(createServer({ key: own.key, cert: own.chain, ...options }, (_, response) => response.end('ok')))

async function ask(port: number, client?: ClientCertificate, clientCertificate?: boolean): Promise<string> {
  const address = { host: '127.0.0.1', port }
  const reach = { isRemote: false, published: () => address, direct: () => undefined }
  const check = { kind: 'https', port: 443, path: '/', status: [], headers: {}, body: undefined } as const
  const target = { reach, hostname: 'web.shop.test', readClientCertificate: async () => client }
  const answer = await probeHttp({ ...check, clientCertificate }, target)(new AbortController().signal, 15_000)
  return answer.isReady ? 'ready' : answer.answer
}

describe('an https probe', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'passes for a server that requires a client certificate, by %s',
    async (version) => {
      const port = await serve({ requestCert: true, ca: fleet.certificate, minVersion: version, maxVersion: version })
      expect(await ask(port, shop)).toBe('ready')
      const refusal = version === 'TLSv1.3' ? 'requires a client certificate' : /requires a client certificate$/
      expect(await ask(port)).toMatch(refusal)
      expect(await ask(port, shop, false)).toMatch(refusal)
    },
  )

  test.each(['TLSv1', 'TLSv1.1'] as const)('passes for a server that only speaks %s', async (version) => {
    const ciphers = 'DEFAULT@SECLEVEL=0'
    expect(await ask(await serve({ minVersion: version, maxVersion: version, ciphers }))).toBe('ready')
  })

  test('reports a TLS error in plain words', async () => {
    expect(await ask(await listen(createHttpServer((_, response) => response.end())))).toBe('does not speak TLS')
    expect(await ask(await listen(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n'))))).toBe('does not speak TLS')
    const refuses = (_: unknown, answer: (error: Error) => void): void => answer(new Error('no'))
    expect(await ask(await serve({ SNICallback: refuses }))).not.toMatch(/SSL|:|[A-Z]{8}/)
  })
})

test('a protocol probe over TLS also sends the client certificate', async () => {
  const { createServer: createTlsServer } = await import('node:tls')
  const options = { key: own.key, cert: own.chain, requestCert: true, ca: fleet.certificate }
  const port = await listen(createTlsServer(options, (socket) => socket.once('data', () => socket.end('+PONG\r\n'))))
  const address = { host: '127.0.0.1', port }
  const reach = { isRemote: false, published: () => address, direct: () => undefined }
  const target = { reach, hostname: 'web.shop.test', readSecret: async () => '' }
  const check = { kind: 'redis', port: 6379, tls: true } as const
  const tried = (client?: ClientCertificate) =>
    probeProtocol(check, { ...target, readClientCertificate: async () => client })(new AbortController().signal, 15_000)
  expect(await tried(shop)).toEqual({ isReady: true })
  expect(await tried()).toMatchObject({ answer: 'requires a client certificate' })
})

test.each([
  ['ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME', '', 'serves no site of the name web.test'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'ssl/tls alert handshake failure', /^refuses the TLS handshake/],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', '', 'refuses the client certificate as expired'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', '', 'does not trust the authority of the client certificate'],
  ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', '', 'speaks no HTTP/1 over TLS (ALPN)'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', '', 'refuses the client certificate'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', '', 'speaks no version of TLS from 1.0 to 1.3'],
  ['EPROTO', 'write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number', 'does not speak TLS'],
  ['ERR_SSL_SOMETHING_NEW', 'something new', 'fails in TLS: something new'],
])('the TLS error %s is reported in plain words', (code, message, words) => {
  expect(wordTlsError(Object.assign(new Error(message), { code }), 'web.test')).toMatch(words)
})

test('an error of another kind is not reported as a TLS error', () => {
  expect(wordTlsError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'a')).toBeUndefined()
})
