import { createHash } from 'node:crypto'
import type { InstalledPackage } from '../images/record-packages.ts'

export interface BillSubject {
  /** The image's reference. */
  readonly reference: string
  /** The engine's id of the image. */
  readonly id: string
  /** Zero when the image has no date. */
  readonly createdAtMs: number
  readonly system: OperatingSystem
  readonly packages: readonly InstalledPackage[]
}

/** As named by os-release(5). */
export interface OperatingSystem {
  /** Such as `debian`. */
  readonly id: string
  /** Such as `12`; empty for a system without versions. */
  readonly version: string
  /** Name for people. */
  readonly title: string
}

/** Namespace for names that are URLs (RFC 9562, 6.6). */
const URL_NAMESPACE = '6ba7b8119dad11d180b400c04fd430c8'

/**
 * Returns the bill of materials of an image as a CycloneDX 1.6 document. The same image gives the same document: its
 * serial number is derived from the image's id, and its time is the image's.
 */
export function describeBill(subject: BillSubject, testfleetVersion: string): object {
  const { reference, id, createdAtMs, system, packages } = subject
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${nameBasedUuid(`urn:testfleet:image:${id}`)}`,
    version: 1,
    metadata: {
      ...(createdAtMs === 0 ? {} : { timestamp: new Date(createdAtMs).toISOString() }),
      tools: { components: [{ type: 'application', name: 'testfleet', version: testfleetVersion }] },
      component: { type: 'container', 'bom-ref': 'image', name: reference, version: id },
    },
    components: [
      {
        type: 'operating-system',
        'bom-ref': 'operating-system',
        name: system.id,
        ...(system.version === '' ? {} : { version: system.version }),
        ...(system.title === '' ? {} : { description: system.title }),
      },
      ...packages.map((one) => {
        const purl = packageUrl(one, system)
        return { type: 'library', 'bom-ref': purl, name: one.name, version: one.version, purl }
      }),
    ],
  }
}

/** Global name of a package: https://github.com/package-url/purl-spec. */
export function packageUrl({ name, version, architecture }: InstalledPackage, system: OperatingSystem): string {
  const distro = system.version === '' ? system.id : `${system.id}-${system.version}`
  const qualifiers = `arch=${encode(architecture)}&distro=${encode(distro)}`
  return `pkg:deb/${encode(system.id)}/${encode(name)}@${encode(version)}?${qualifiers}`
}

/** Reads the text of /etc/os-release. Without one, a system that has dpkg counts as Debian. */
export function parseOsRelease(text: string): OperatingSystem {
  const matches = text.matchAll(/^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/gm)
  const fields = new Map([...matches].map(([, name, double, single, plain]) => [name, double ?? single ?? plain ?? '']))
  return {
    id: fields.get('ID') ?? 'debian',
    version: fields.get('VERSION_ID') ?? '',
    title: fields.get('PRETTY_NAME') ?? '',
  }
}

/** Percent-encodes all characters except a few. A colon, as in an epoch, is kept. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}

/** A UUID of version 5. */
function nameBasedUuid(name: string): string {
  const bytes = createHash('sha1').update(Buffer.from(URL_NAMESPACE, 'hex')).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
