import { describe, expect, it } from 'vitest'
import { loadText } from '../../../tests/support/load-text.ts'
import { renderFleetTypes } from './render-fleet-types.ts'

describe('the types of a fleet', () => {
  it('have the names, ports and exports of its servers', async () => {
    const fleet = await loadText(`
name: shop
servers:
  web:
    image: nginx
    ports: [80, 53/udp, { container: 443, host: 8443 }]
    export: { WEB_URL: "http://\${endpoint.80}" }
  my-job: { image: job }
`)
    expect(
      renderFleetTypes(fleet),
    ).toBe(`// Written by \`testfleet types\` from testfleet.yaml. Run it again when the fleet file changes.

/** Servers of the fleet shop, for \`startFleet<Fleet>()\` and \`joinFleet<Fleet>()\`. */
export interface Fleet {
  readonly servers: {
    readonly web: {
      readonly ports: readonly [80, '53/udp', 443]
      readonly export: {
        readonly WEB_URL: string
      }
    }
    readonly 'my-job': {
      readonly ports: readonly []
    }
  }
}
`)
  })

  it('have the ports and exports of a preset with its options', async () => {
    const fleet = await loadText('servers: { mail: { preset: mail, options: { tls: true } } }')
    const text = renderFleetTypes(fleet)
    expect(text).toContain('readonly ports: readonly [25, 587, 143, 110, 465, 993, 995]')
    expect(text).toContain('readonly SMTP_URL: string')
  })

  it('list each port of a range', async () => {
    const fleet = await loadText('servers: { ftp: { image: ftp, ports: [30000-30002/udp] } }')
    expect(renderFleetTypes(fleet)).toContain("readonly ports: readonly ['30000/udp', '30001/udp', '30002/udp']")
  })

  it('do not depend on the name of the file', async () => {
    const { name, servers } = await loadText('name: shop\nservers: { web: { image: nginx } }')
    const [first] = renderFleetTypes({ name, servers, file: '/x/a\nexport const x = 1; é.yaml' }).split('\n')
    expect(first).toBe(
      '// Written by `testfleet types` from a?export const x = 1; ?.yaml. Run it again when the fleet file changes.',
    )
    expect(renderFleetTypes({ name, servers, file: undefined })).toMatch(/^\/\/ Written by `testfleet types`\. Run/)
  })
})
