import { describe, expect, test } from 'vitest'
import { speakAs } from '../model/surface.ts'
import { chooseNaming, describeNaming, type NameWay, type NamingFacts } from './choose-naming.ts'

// Messages are quoted as the command words them.
speakAs('command')

const best: NamingFacts = { isDirect: true, unsupportedReason: undefined, ownProxy: undefined }
const far = "this machine does not reach the engine's containers at their own addresses"
const proxy = { kind: 'proxy', hasProxy: true, isDirect: true }

describe('choosing a way', () => {
  test.each<[NameWay, Partial<NamingFacts>, object]>([
    ['auto', {}, { kind: 'namespace' }],
    ['auto', { ownProxy: 'HTTP_PROXY' }, { kind: 'namespace' }],
    ['auto', { unsupportedReason: 'x' }, { ...proxy, why: 'x' }],
    ['auto', { isDirect: false }, { ...proxy, isDirect: false, why: far }],
    // Then nothing is tried.
    ['auto', { isDirect: false, unsupportedReason: 'x' }, { ...proxy, isDirect: false, why: far }],
    ['auto', { unsupportedReason: 'x', ownProxy: 'http_proxy' }, { ...proxy, hasProxy: false, why: 'x' }],
    ['namespace', {}, { kind: 'namespace' }],
    ['proxy', {}, { ...proxy, why: '`--names proxy` was given' }],
    ['none', {}, { kind: 'none' }],
    ['none', { isDirect: false, unsupportedReason: 'x' }, { kind: 'none' }],
  ])('%s, %j', (wanted, facts, naming) => {
    expect(chooseNaming(wanted, { ...best, ...facts })).toEqual(naming)
  })

  test.each<[NameWay, Partial<NamingFacts>, string]>([
    ['namespace', { unsupportedReason: 'x' }, 'x'],
    ['namespace', { isDirect: false }, far],
    ['proxy', { ownProxy: 'ALL_PROXY' }, 'ALL_PROXY is set and must stay'],
  ])('%s fails with %j', (wanted, facts, why) => {
    expect(() => chooseNaming(wanted, { ...best, ...facts })).toThrow(
      expect.objectContaining({
        code: 'NAMES_UNAVAILABLE',
        exitCode: 1,
        message: `\`--names ${wanted}\` is not available here, because ${why}`,
      }),
    )
  })
})

describe('the warning', () => {
  const say = (facts: Partial<NamingFacts>): string | undefined =>
    describeNaming(chooseNaming('auto', { ...best, ...facts }), 'db.web.test', facts.ownProxy)

  test('is empty when every name works', () => {
    expect(say({})).toBeUndefined()
  })

  test('says which programs know the names, which ports they reach, and what other programs need', () => {
    expect(say({ unsupportedReason: 'it is so' })).toBe(
      "only some programs know the servers' names, because it is so: Node and programs that respect HTTP_PROXY reach db.web.test and the other servers, at all their ports; other programs need TESTFLEET_<SERVER>_HOST and _PORT",
    )
    expect(say({ isDirect: false })).toContain('at their published ports, by the real port numbers;')
    expect(say({ unsupportedReason: 'it is so', ownProxy: 'https_proxy' })).toContain(
      'Node reaches db.web.test and the other servers, at all their ports (a proxy for other programs would replace https_proxy);',
    )
  })
})
