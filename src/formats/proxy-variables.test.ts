import { describe, expect, test } from 'vitest'
import { findOwnProxy, passFleet, toProxyVariables } from './proxy-variables.ts'

const fleet = {
  domain: 'shop.test',
  aliases: ['pay'],
  addresses: ['172.20.0.2'],
  published: ['127.0.0.1:40000', '192.0.2.7:40001'],
}
const added = 'shop.test,.shop.test,pay,localhost,127.0.0.1,::1,172.20.0.2,192.0.2.7'
const both = (value: string) => ({ NO_PROXY: value, no_proxy: value })
const outer = `http://testfleet:${'a'.repeat(32)}@127.0.0.1:40123`

test('a proxy of the caller is found in any of its variables, except an empty one or one of testfleet', () => {
  expect(findOwnProxy({ HTTP_PROXY: '', PATH: '/bin' })).toBeUndefined()
  expect(findOwnProxy({ all_proxy: 'socks5h://127.0.0.1:1080' })).toBe('all_proxy')
  expect(findOwnProxy({ HTTP_PROXY: outer })).toBeUndefined()
})

describe("requests to the fleet bypass the caller's proxy", () => {
  test.each(['http_proxy', 'HTTPS_PROXY', 'all_proxy', 'ftp_proxy', 'npm_config_https_proxy'])('with %s', (name) => {
    expect(passFleet({ [name]: 'http://proxy.corp:3128' }, fleet)).toEqual(both(added))
  })

  test.each([
    ['the value of one is kept in both', { no_proxy: '.corp, 10.0.0.0/8' }, both(`.corp, 10.0.0.0/8,${added}`)],
    ['two values stay two', { NO_PROXY: 'a', no_proxy: 'b' }, { NO_PROXY: `a,${added}`, no_proxy: `b,${added}` }],
    ['nothing is repeated', { NO_PROXY: added }, both(added)],
    ['a star alone stays alone', { NO_PROXY: '*' }, both('*')],
    ['an empty value is none', { NO_PROXY: '' }, both(added)],
  ])('%s', (_, own, expected) => {
    expect(passFleet({ http_proxy: 'proxy.corp:3128', ...own }, fleet)).toEqual(expected)
  })

  test.each([
    ['no proxy is set', { NO_PROXY: 'a', PATH: '/bin' }],
    ['a variable is empty', { HTTP_PROXY: '' }],
    ['the proxy is a server of the fleet, by its published port', { http_proxy: 'http://127.0.0.1:40000' }],
    ['the proxy is a server of the fleet, by its name', { https_proxy: 'squid.shop.test:3128' }],
    ['the proxy is that of testfleet around this call', { http_proxy: outer }],
  ])('sets no variable where %s', (_, environment) => {
    expect(passFleet(environment, fleet)).toEqual({})
  })

  test('at another port of this machine', () => {
    expect(passFleet({ http_proxy: 'http://127.0.0.1:8888' }, fleet)).toEqual(both(added))
  })
})

describe('the proxy of testfleet', () => {
  const names = ['web.shop.test', 'pay']

  test('is set in both spellings, and the exceptions of the caller stay', () => {
    expect(toProxyVariables('http://p', { no_proxy: '.example' }, names)).toMatchObject({
      http_proxy: 'http://p',
      ...both('.example,localhost,127.0.0.1,::1'),
    })
  })

  test.each(['.shop.test', 'shop.test', '*.shop.test', 'web.shop.test', 'pay', '*'])(
    'receives requests for the fleet even if the caller excepts %s',
    (exception) => {
      expect(toProxyVariables('http://p', { NO_PROXY: `a,${exception}` }, names)).toMatchObject(
        both('a,localhost,127.0.0.1,::1'),
      )
    },
  )
})
