import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { describe, expect, test } from 'vitest'
import { type BillSubject, describeBill, packageUrl, parseOsRelease } from './bill-of-materials.ts'

const system = { id: 'debian', version: '12', title: 'Debian GNU/Linux 12 (bookworm)' }
const subject: BillSubject = {
  reference: 'testfleet/shop-web:1f2e3d4c5b6a7988',
  id: `sha256:${'a'.repeat(64)}`,
  createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  system,
  packages: [
    { name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64' },
    { name: 'vim', version: '2:9.0.1378-2~1', architecture: 'all' },
  ],
}

describe('a bill of materials', () => {
  test('is valid by the schema of CycloneDX 1.6', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
    expect(await validator.validate(JSON.stringify(describeBill(subject, '1.2.3')))).toBeNull()
    const bare = { ...subject, createdAtMs: 0, packages: [], system: parseOsRelease('') }
    expect(await validator.validate(JSON.stringify(describeBill(bare, '1.2.3')))).toBeNull()
    // The validator finds a real mistake.
    expect(await validator.validate(JSON.stringify({ ...describeBill(subject, ''), serialNumber: '1' }))).not.toBeNull()
  })

  test('names the image, its time, and each package', () => {
    expect(describeBill(subject, '1.2.3')).toMatchObject({
      metadata: {
        timestamp: '2026-01-02T03:04:05.000Z',
        component: { name: subject.reference, version: subject.id },
        tools: { components: [{ name: 'testfleet', version: '1.2.3' }] },
      },
      components: [
        { type: 'operating-system', name: 'debian', version: '12' },
        { type: 'library', name: 'libstdc++6', version: '12.2.0-14+deb12u1' },
        { type: 'library', name: 'vim', version: '2:9.0.1378-2~1' },
      ],
    })
  })

  test('is the same for the same image, and has another serial number for another image', () => {
    const number = (id: string): string =>
      (describeBill({ ...subject, id }, '1') as { serialNumber: string }).serialNumber
    expect(describeBill(subject, '1')).toEqual(describeBill(subject, '1'))
    expect(number('sha256:b')).not.toBe(number('sha256:c'))
    expect(number('sha256:b')).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

test('package URLs are encoded as their specification demands', () => {
  expect(subject.packages.map((one) => packageUrl(one, system))).toEqual([
    'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    'pkg:deb/debian/vim@2:9.0.1378-2~1?arch=all&distro=debian-12',
  ])
})

test('os-release is read with and without quotes', () => {
  expect(parseOsRelease('ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME=\'Ubuntu 24.04\'\n# ID=no\n')).toEqual({
    id: 'ubuntu',
    version: '24.04',
    title: 'Ubuntu 24.04',
  })
  expect(parseOsRelease('')).toEqual({ id: 'debian', version: '', title: '' })
})
