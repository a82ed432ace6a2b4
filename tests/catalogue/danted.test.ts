import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    web: { preset: 'apache2', aliases: ['www.shop.example'] },
    plain: { preset: 'danted', export: { PLAIN_URL: 'socks5h://${host}:${port.1080}' } },
    more: { preset: 'danted', options: { users: { alice: { generate: 24 } }, domains: ['shop.example'] } },
  })
})

afterAll(() => session.end())

const page = 'A page of the preset apache2.'
const fetch = (proxy: string, url: string, ...words: string[]) =>
  session.client('curl', '--silent', '--show-error', '--proxy', proxy, ...words, url)
const login = async (user: string, secret: string) => [
  '--proxy-user',
  `${user}:${await session.secret('more', secret)}`,
]

test('leads to the servers of the fleet with no option at all, by name and by address', async () => {
  const address = session.report.servers.web?.ip ?? ''
  for (const host of [`web.${session.fleet.name}.test`, 'web', address]) {
    expect((await fetch('socks5h://plain:1080', `http://${host}/`)).stdout).toContain(page)
  }
  expect((await fetch('socks5://plain:1080', 'http://web/')).stdout).toContain(page)
})

test('is reached from the host, which does not know those names', async () => {
  const ask = ['--silent', '--proxy', session.variables.PLAIN_URL ?? '', `http://web.${session.fleet.name}.test/`]
  expect((await session.host('curl', ...ask)).stdout).toContain(page)
})

test('leads nowhere else', async () => {
  for (const host of ['127.0.0.1:1080', '192.0.2.1']) {
    const refused = await fetch('socks5h://plain:1080', `http://${host}/`)
    expect(refused).toMatchObject({ exitCode: 97, stdout: '', stderr: expect.stringMatching(/\(2\)/) })
  }
})

test('takes the password of each user at one port, and no other', async () => {
  const [proxy, web] = ['socks5h://more:1081', 'http://www.shop.example/']
  expect((await fetch(proxy, web, ...(await login('test', 'PASSWORD')))).stdout).toContain(page)
  expect((await fetch(proxy, web, ...(await login('alice', 'user.alice')))).stdout).toContain(page)
  expect(await fetch(proxy, web, ...(await login('alice', 'PASSWORD')))).toMatchObject({
    exitCode: 97,
    stderr: expect.stringContaining('User was rejected by the SOCKS5 server'),
  })
  expect(await fetch(proxy, web)).toMatchObject({
    exitCode: 97,
    stderr: expect.stringContaining('No authentication method was acceptable'),
  })
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^socks5 :108\d: does not answer$/)
})
