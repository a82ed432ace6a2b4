import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      web: { preset: 'apache2', options: { tls: true }, aliases: ['www.shop.example'] },
      plain: { preset: 'squid', export: { PLAIN_URL: 'http://${host}:${port.3128}' } },
      more: {
        preset: 'squid',
        options: {
          tls: true,
          users: { alice: { generate: 24 } },
          domains: ['shop.example'],
          outside: 'unreachable',
          ntlmKeepAlive: false,
          configuration: 'own.conf',
        },
      },
    },
    { 'own.conf': 'acl remove method DELETE\nhttp_access deny remove\n' },
  )
})

afterAll(() => session.end())

/** What the proxy said to CONNECT, and what came in the end. */
const through = async (proxy: string, url: string, ...words: string[]) => {
  const asks = ['--output', '/dev/null', '--write-out', '%{http_connect} %{http_code}', '--proxy', proxy, url]
  return (await session.client('curl', '--silent', ...words, ...asks)).stdout
}
const login = async (user: string, secret: string) => [
  '--proxy-user',
  `${user}:${await session.secret('more', secret)}`,
]

test('connects to servers of the fleet without options, from the network and from the host', async () => {
  expect(await through('http://plain:3128', 'http://web/')).toBe('000 200')
  const page = ['--silent', '--proxy', session.variables.PLAIN_URL ?? '', `http://web.${session.fleet.name}.test/`]
  expect((await session.host('curl', ...page)).stdout).toContain('A page of the preset apache2.')
})

test('opens tunnels, through which clients speak TLS with the server', async () => {
  expect(await through('http://plain:3128', 'https://web/')).toBe('200 200')
  expect(await through('http://plain:3128', 'http://web/', '--proxytunnel')).toBe('200 200')
})

test('refuses everything outside the fleet', async () => {
  for (const url of ['http://elsewhere.invalid/', 'http://127.0.0.1:3128/', 'http://192.0.2.1/']) {
    expect(await through('http://plain:3128', url)).toBe('000 403')
    expect(await through('http://plain:3128', url, '--proxytunnel')).toBe('403 000')
  }
  expect(await through('http://plain:3128', 'http://www.shop.example/')).toBe('000 403')
  expect(await through('http://more:3128', 'http://www.shop.example/')).toBe('000 200')
})

test('answers 503 for an unknown name, a closed port and an unused address', async () => {
  const unused = (session.report.servers.web?.ip ?? '').replace(/\d+$/, '250')
  for (const host of ['nosuch', `nosuch.${session.fleet.name}.test`, 'web:81', unused]) {
    expect(await through('http://plain:3128', `http://${host}/`), host).toBe('000 503')
    expect(await through('http://plain:3128', `http://${host}/`, '--proxytunnel'), host).toBe('503 000')
  }
})

test('answers 503 for everything outside the fleet with its option', async () => {
  const kind = async (url: string) => {
    const asked = ['--silent', '--include', '--proxy', 'http://more:3128', url]
    return /^HTTP\/1.1 (\d+)[\s\S]*X-Squid-Error: \S*(ERR_\w+)/
      .exec((await session.client('curl', ...asked)).stdout)
      ?.slice(1)
  }
  expect(await kind('http://elsewhere.invalid/')).toEqual(['503', 'ERR_DNS_FAIL'])
  expect(await kind('http://192.0.2.1/')).toEqual(['503', 'ERR_CONNECT_FAIL'])
  expect(await through('http://more:3128', 'https://elsewhere.invalid/')).toBe('503 000')
})

test("reads the user's directives", async () => {
  expect(await through('http://more:3128', 'http://web/none', '--request', 'DELETE')).toBe('000 403')
  expect(await through('http://plain:3128', 'http://web/none', '--request', 'DELETE')).not.toBe('000 403')
})

test('keeps a connection open after it asks for NTLM, or closes it with its option', async () => {
  const connection = async (server: string) => {
    const asked = ['--silent', '--include', '--proxy', `http://${server}:3130`, 'http://web/']
    return /^Connection: (\S+)/im.exec((await session.client('curl', ...asked)).stdout)?.[1]
  }
  expect([await connection('plain'), await connection('more')]).toEqual(['keep-alive', 'close'])
})

test('accepts the password of each user on one port, and no other', async () => {
  const [proxy, web] = ['http://more:3129', 'http://web/']
  expect(await through(proxy, web, ...(await login('test', 'PASSWORD')))).toBe('000 200')
  expect(await through(proxy, 'https://web/', ...(await login('alice', 'user.alice')))).toBe('200 200')
  expect(await through(proxy, web, '--proxy-user', 'test:wrong')).toBe('000 407')
  expect(await through(proxy, web)).toBe('000 407')
  expect(await through(proxy, web, '--proxy-ntlm', '--proxy-user', 'test:any')).toBe('000 403')
  expect(await challenges(proxy)).toBe('Proxy-Authenticate: Basic realm="squid"')
})

test('accepts only NTLM on another port', async () => {
  const proxy = 'http://more:3130'
  expect(await challenges(proxy)).toBe('Proxy-Authenticate: NTLM')
  expect(await through(proxy, 'http://web/', '--proxy-ntlm', '--proxy-user', 'test:any')).toBe('000 200')
  expect(await through(proxy, 'https://web/', '--proxy-anyauth', '--proxy-user', 'test:any')).toBe('200 200')
  expect(await through(proxy, 'http://web/', ...(await login('test', 'PASSWORD')))).toBe('000 403')
})

async function challenges(proxy: string): Promise<string | undefined> {
  const { stdout } = await session.client('curl', '--silent', '--include', '--proxy', proxy, 'http://web/')
  return stdout.match(/^Proxy-Authenticate: .*(?=\r)/gim)?.join('\n')
}

test('speaks TLS with its clients, with a certificate of the fleet', async () => {
  const user = await login('test', 'PASSWORD')
  expect(await through('https://more:3131', 'https://web/', ...user)).toBe('200 200')
  expect(await through('https://more:3131', 'http://web/')).toBe('000 407')
  const trustless = trustOthers.map((word) => word.replace('--', '--proxy-'))
  const refused = await session.client('curl', '--proxy', 'https://more:3131', ...user, ...trustless, 'http://web/')
  expect(refused).toMatchObject({ exitCode: 60, stdout: '' })
})

test('caches answers', async () => {
  const ask = async () => {
    const page = ['--proxy', 'http://plain:3128', 'http://web/index.html']
    return /^X-Cache: (\w+)/m.exec((await session.client('curl', '--silent', '--include', ...page)).stdout)?.[1]
  }
  expect([await ask(), await ask()]).toEqual(['MISS', 'HIT'])
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^httpProxy :31\d\d: does not answer$/)
})
