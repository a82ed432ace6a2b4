import { expect, test } from 'vitest'
import { nodeHookOption, readOuterSession } from './outer-session.ts'

const hook = '/opt/testfleet/node-hook.cjs'
const own = { domain: 'shop.test', names: ['web.shop.test', 'pay'] }
const proxy = `http://testfleet:${'0a'.repeat(16)}@127.0.0.1:40123`
const at = (address: string) => ({ address })

function read(names: object, more: object = {}) {
  return readOuterSession({ PATH: '/bin', TESTFLEET_NAMES: JSON.stringify(names), ...more }, own, hook)
}

test('names of an outer session of the same fleet are removed, with the aliases of its servers', () => {
  const names = { 'web.shop.test': at('10.0.0.2'), 'db.shop.test': at('10.0.0.3'), 'db-alias': at('10.0.0.3') }
  expect(read(names)).toEqual({ environment: { PATH: '/bin' }, routes: {}, isInTheWay: true })
})

test('names of another fleet are kept, unless a server of this one has the same alias', () => {
  const names = { 'web.other.test': at('10.0.0.2'), pay: at('10.0.0.4'), 'pay.other.test': at('10.0.0.4') }
  expect(read(names)).toMatchObject({ routes: { 'web.other.test': at('10.0.0.2') }, isInTheWay: true })
  expect(read({ 'web.other.test': at('10.0.0.2') })).toMatchObject({ isInTheWay: false })
})

test("the outer session's proxy and hook are removed, and the caller's own settings are kept", () => {
  const given = { http_proxy: proxy, HTTPS_PROXY: 'http://proxy.corp:3128' }
  const options = { NODE_OPTIONS: `--max-old-space-size=500 ${nodeHookOption(hook)}` }
  expect(read({}, { ...given, ...options }).environment).toEqual({
    PATH: '/bin',
    HTTPS_PROXY: 'http://proxy.corp:3128',
    NODE_OPTIONS: '--max-old-space-size=500',
  })
  expect(read({}, { NODE_OPTIONS: nodeHookOption(hook) }).environment).toEqual({ PATH: '/bin' })
})

test.each(['no JSON', '7', 'null', '{"web.shop.test":7}', '{"web.shop.test":{"ports":1}}'])(
  'a variable that another program has set to %j is ignored',
  (text) => {
    expect(readOuterSession({ TESTFLEET_NAMES: text }, own, hook)).toMatchObject({ routes: {}, isInTheWay: false })
  },
)
