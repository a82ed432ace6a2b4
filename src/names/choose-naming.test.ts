import { describe, expect, test } from 'vitest'
import { chooseNaming, type NameWay, type NamingFacts, wordNaming } from './choose-naming.ts'

const best: NamingFacts = { isDirect: true, obstacle: undefined, ownProxy: undefined }
const far = "this machine does not reach the engine's containers at their own addresses"
const proxy = { kind: 'proxy', hasProxy: true, isDirect: true }

describe('which way is taken', () => {
  test.each<[NameWay, Partial<NamingFacts>, object]>([
    ['auto', {}, { kind: 'namespace' }],
    ['auto', { ownProxy: 'HTTP_PROXY' }, { kind: 'namespace' }],
    ['auto', { obstacle: 'x' }, { ...proxy, why: 'x' }],
    ['auto', { isDirect: false }, { ...proxy, isDirect: false, why: far }],
    // There is nothing to be tried there.
    ['auto', { isDirect: false, obstacle: 'x' }, { ...proxy, isDirect: false, why: far }],
    ['auto', { obstacle: 'x', ownProxy: 'http_proxy' }, { ...proxy, hasProxy: false, why: 'x' }],
    ['namespace', {}, { kind: 'namespace' }],
    ['proxy', {}, { ...proxy, why: 'the call asks for it' }],
    ['none', {}, { kind: 'none' }],
    ['none', { isDirect: false, obstacle: 'x' }, { kind: 'none' }],
  ])('%s, %j', (wanted, facts, naming) => {
    expect(chooseNaming(wanted, { ...best, ...facts })).toEqual(naming)
  })

  test.each<[NameWay, Partial<NamingFacts>, string]>([
    ['namespace', { obstacle: 'x' }, 'x'],
    ['namespace', { isDirect: false }, far],
    ['proxy', { ownProxy: 'ALL_PROXY' }, 'ALL_PROXY is set, and stays'],
  ])('%s cannot be had with %j', (wanted, facts, why) => {
    expect(() => chooseNaming(wanted, { ...best, ...facts })).toThrow(
      expect.objectContaining({
        code: 'NAMES_UNAVAILABLE',
        exitCode: 1,
        message: `\`--names ${wanted}\` cannot be had, as ${why}`,
      }),
    )
  })
})

describe('what is said of it', () => {
  const say = (facts: Partial<NamingFacts>): string | undefined =>
    wordNaming(chooseNaming('auto', { ...best, ...facts }), 'db.web.test', facts.ownProxy)

  test('is nothing where all is as it should be', () => {
    expect(say({})).toBeUndefined()
  })

  test('is who knows the names, where they lead, and what the others need', () => {
    expect(say({ obstacle: 'it is so' })).toBe(
      "the command's names are not complete, as it is so: only Node and programs that respect HTTP_PROXY reach db.web.test and the like, at all of its ports; other programs need TESTFLEET_<SERVER>_HOST and _PORT",
    )
    expect(say({ isDirect: false })).toContain('at the ports that it publishes, by their real numbers;')
    expect(say({ obstacle: 'it is so', ownProxy: 'https_proxy' })).toContain(
      'only Node (a proxy for others would displace https_proxy) reach',
    )
  })
})
