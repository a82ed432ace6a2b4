import { describe, expect, test } from 'vitest'
import type { NamedServer } from '../model/running.ts'
import { addToHosts, findMisleading, toHostsEntries, withoutSession } from './hosts-file.ts'

function server(names: readonly string[], address?: string, ...published: string[]): NamedServer {
  const endpoints = published.map((host, index) => [`${index + 1}/tcp`, { host, port: 40_000 + index }])
  return { server: names[0] ?? '', names, address, endpoints: Object.fromEntries(endpoints) }
}

describe('hosts entries', () => {
  test("have each server's own address, or the one of its published ports", () => {
    const servers = [
      server(['a.web.test', 'www.example'], '172.20.0.2', '127.0.0.1'),
      server(['b.web.test'], undefined, '127.0.0.1', '127.0.0.1'),
    ]
    expect(toHostsEntries(servers, 'machine')).toEqual([
      { address: '172.20.0.2', names: ['a.web.test', 'www.example'] },
      { address: '127.0.0.1', names: ['b.web.test'] },
    ])
  })

  test('omit servers without an address that a line can have', () => {
    const servers = [
      server(['none.web.test']),
      server(['two.web.test'], undefined, '127.0.0.1', '192.0.2.7'),
      server(['far.web.test'], undefined, 'build.example'),
    ]
    expect(toHostsEntries(servers, 'machine')).toEqual([])
  })

  test("omit the machine's own names", () => {
    const servers = [server(['a.web.test', 'LocalHost', 'machine', 'machine.example'], '172.20.0.2')]
    expect(toHostsEntries(servers, 'Machine.example')).toEqual([{ address: '172.20.0.2', names: ['a.web.test'] }])
  })
})

describe("the machine's file", () => {
  const entries = [{ address: '172.20.0.2', names: ['a.web.test', 'www.example'] }]
  const ours = '172.20.0.2\ta.web.test www.example\n'

  test.each([
    ['is kept byte for byte', '# mine\n127.0.0.1 localhost # me\n\n::1\tlocalhost\n', undefined],
    ['may be empty', '', ''],
    ['may lack the last line end', '127.0.0.1 localhost', '127.0.0.1 localhost\n'],
    ['loses a name that is a server', '10.0.0.1 a A.web.test b # old\n', '10.0.0.1\ta b\n'],
    ['loses a line without another name', '10.0.0.1 a.web.test\n10.0.0.2 c\n', '10.0.0.2 c\n'],
    ['keeps a comment about it', '# 10.0.0.1 a.web.test\n', undefined],
  ])('%s', (_, text, kept) => {
    expect(addToHosts(text, entries)).toBe(`${kept ?? text}${ours}`)
  })
})

describe('inside another session', () => {
  const outer =
    '127.0.0.1 localhost\n10.0.0.2\ta.web.test www.example\n10.0.0.3\tb.web.test b\n10.0.0.4\tc.other.test\n'
  const isOurs = (name: string): boolean => name.endsWith('.web.test')

  test('the lines of its servers are removed, including servers that this session does not have', () => {
    expect(withoutSession(outer, isOurs)).toBe('127.0.0.1 localhost\n10.0.0.4\tc.other.test\n')
  })

  test.each([
    ['a server that has another address in this session', '10.0.0.9', { name: 'a.web.test', address: '10.0.0.2' }],
    ['a server that this session does not have', '10.0.0.2', { name: 'b.web.test', address: '10.0.0.3' }],
  ])('%s is reported as misleading', (_, address, found) => {
    expect(findMisleading(outer, [{ address, names: ['A.web.test'] }], isOurs)).toEqual(found)
  })

  test('names of the same session are not misleading', () => {
    const entries = [
      { address: '10.0.0.2', names: ['a.web.test'] },
      { address: '10.0.0.3', names: ['b.web.test'] },
    ]
    expect(findMisleading(outer, entries, isOurs)).toBeUndefined()
  })
})
