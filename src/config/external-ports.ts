import { isBlock } from '../formats/block.ts'
import type { ExternalUrl } from '../formats/external-url.ts'
import type { Protocol } from '../formats/port-range.ts'
import { plainScheme, schemesOfChecks, schemesOfPorts, usualScheme } from '../formats/url-schemes.ts'

export interface NumberedPort {
  readonly container: number
  readonly protocol: Protocol
}

/** Items of `ready`, as the fleet file or a filled preset has them. */
export type CheckItems = readonly unknown[]

/**
 * Returns the declared port that the URL of an external server stands for: the one that speaks its protocol, or that has
 * its number; otherwise the first. Undefined when there is none.
 */
export function findMainPort<Port extends NumberedPort>(
  ports: readonly Port[],
  checks: CheckItems,
  { scheme, port, protocol }: ExternalUrl,
): Port | undefined {
  const same = ports.filter((one) => one.protocol === protocol)
  const speaks = (one: Port): string => schemeOf(one, checks)
  return (
    same.find((one) => speaks(one) === usualScheme(scheme)) ??
    same.find((one) => plainScheme(speaks(one)) === plainScheme(scheme)) ??
    same.find((one) => one.container === port) ??
    same[0]
  )
}

/** Returns the schemes that are known of a server's ports, without their forms with TLS. */
export function listSchemes(ports: readonly NumberedPort[], checks: CheckItems): readonly string[] {
  const known = ports.map((port) => plainScheme(schemeOf(port, checks)))
  return [...new Set(known)].filter((scheme) => scheme !== '')
}

/** Returns the scheme that a port speaks by its check or by its number; empty when neither says. */
function schemeOf({ container, protocol }: NumberedPort, checks: CheckItems): string {
  const ofChecks = checks.flatMap((item) => {
    const check = readCheck(item)
    const [plain, secure] = schemesOfChecks[check?.kind ?? ''] ?? []
    if (check?.port !== container || plain === undefined || secure === undefined) return []
    return [check.kind === 'https' || check.fields.tls === true ? secure : plain]
  })
  return ofChecks[0] ?? schemesOfPorts[`${container}/${protocol}`] ?? ''
}

export interface CheckItem {
  readonly kind: string
  readonly port: number | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

/** Takes an item of `ready` apart: `{ redis: 6379 }`, or `{ redis: { port: 6379, … } }`. */
export function readCheck(item: unknown): CheckItem | undefined {
  const [entry] = isBlock(item) ? Object.entries(item) : []
  if (entry === undefined) return undefined
  const [kind, asked] = entry
  const fields = isBlock(asked) ? asked : { port: asked }
  return { kind, port: typeof fields.port === 'number' ? fields.port : undefined, fields }
}
