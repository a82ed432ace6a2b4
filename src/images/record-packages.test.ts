import { describe, expect, test } from 'vitest'
import { findVersions, parseDpkgStatus } from './record-packages.ts'

const status = `Package: nginx
Status: install ok installed
Priority: optional
Architecture: amd64
Version: 1.22.1-9+deb12u1
Depends: libc6 (>= 2.34)
Description: small, powerful, scalable web/proxy server
 Version: this is no field
 .
 Package: nor this

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: adduser
Status: hold ok installed
Architecture: all
Version: 3.134

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9+deb12u9

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
`

describe('the list of packages from dpkg', () => {
  test.each([
    ['Package', 'nginx\u001b[2J'],
    ['Version', '1.0\u001b]0;title\u0007'],
    ['Version', '1.0 (hidden)'],
    ['Version', '1.0\u202e'],
    ['Architecture', 'amd64\u009b2J'],
  ])('omits a package whose %s Debian would not accept: %j', (field, value) => {
    const fields = { Package: 'nginx', Version: '1:1.0+b1~x-2', Architecture: 'amd64', [field]: value }
    const text = Object.entries(fields).map((entry) => entry.join(': '))
    expect(parseDpkgStatus(text.join('\n'))).toEqual([])
    expect(parseDpkgStatus('Package: nginx\nVersion: 1:1.0+b1~x-2\n')).toHaveLength(1)
  })

  test('is sorted by name, without removed packages', () => {
    expect(parseDpkgStatus(status)).toEqual([
      { name: 'adduser', version: '3.134', architecture: 'all' },
      { name: 'libc6', version: '2.36-9+deb12u10', architecture: 'amd64' },
      { name: 'libc6', version: '2.36-9+deb12u9', architecture: 'i386' },
      { name: 'nginx', version: '1.22.1-9+deb12u1', architecture: 'amd64' },
    ])
  })

  test('is empty for an empty file', () => {
    expect(parseDpkgStatus('')).toEqual([])
    expect(parseDpkgStatus('\n\nno fields here\n')).toEqual([])
  })

  test('can be read without a status, as in distroless images', () => {
    const [one] = parseDpkgStatus('Package: tzdata\nVersion: 2025b-0+deb12u1\nArchitecture: all\n')
    expect(one).toEqual({ name: 'tzdata', version: '2025b-0+deb12u1', architecture: 'all' })
  })
})

test('the versions of requested packages are found for every way to request them', () => {
  const installed = parseDpkgStatus(status)
  expect(findVersions(['nginx', 'libc6:i386', 'adduser=3.134', 'mail-transport-agent', 'nginx'], installed)).toEqual({
    adduser: '3.134',
    'libc6:i386': '2.36-9+deb12u9',
    nginx: '1.22.1-9+deb12u1',
  })
})
