import { describe, expect, test } from 'vitest'
import { compareHosts } from './hosts.ts'
import { resolverFor } from './resolver.ts'

const own = '127.0.0.1\tlocalhost\n10.0.0.2\tserver\n# Servers of the network\n'

describe('a hosts file', () => {
  test('misses the lines of servers that it does not have', () => {
    expect(compareHosts(`${own}10.0.0.2\tone\n`, ['10.0.0.2\tone\n', '10.0.0.3\ttwo\n'])).toEqual({
      missing: '10.0.0.3\ttwo\n',
      surplus: [],
    })
  })

  test('has surplus lines: of servers that are gone, and the second of two that are equal', () => {
    const text = `${own}10.0.0.2\tone\n10.0.0.3\ttwo\n10.0.0.2\tone\n`
    expect(compareHosts(text, ['10.0.0.2\tone\n'])).toEqual({
      missing: '',
      surplus: [own.length + '10.0.0.2\tone\n'.length, own.length + '10.0.0.2\tone\n10.0.0.3\ttwo\n'.length],
    })
  })

  test('does not count a line that was taken out, nor its own lines', () => {
    expect(compareHosts(`${own}#0.0.0.3\ttwo\n`, [])).toEqual({ missing: '', surplus: [] })
    expect(compareHosts(`${own}#0.0.0.3\ttwo\n`, ['10.0.0.3\ttwo\n']).missing).toBe('10.0.0.3\ttwo\n')
  })
})

describe('a resolv.conf', () => {
  test('is that of the machine, without name servers at its loopback', () => {
    const text = '# made by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch fleet.test\noptions edns0\n'
    expect(resolverFor([text], undefined)).toBe('nameserver 192.0.2.1\nsearch fleet.test\noptions edns0\n')
  })

  test('is what the resolver of systemd uses when the machine asks only that', () => {
    expect(resolverFor(['nameserver 127.0.0.53\n', 'nameserver 192.0.2.7\n'], undefined)).toBe('nameserver 192.0.2.7\n')
  })

  test('has public name servers when there are no others', () => {
    expect(resolverFor(['', ''], undefined)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n')
  })

  test('has the name servers of the fleet file', () => {
    expect(resolverFor(['nameserver 192.0.2.1\nsearch a.test\n'], ['192.0.2.9'])).toBe(
      'nameserver 192.0.2.9\nsearch a.test\n',
    )
  })
})
