import { dirname } from 'node:path'

/** Variables by which clients trust the fleet's authority, all of which `--no-trust` leaves out. */
const trustVariables = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'] as const

type Variables = Readonly<Record<string, string | undefined>>

/** The variables of a session without those by which a client trusts its authority. */
export function leaveOutTrust<Value extends Variables>(variables: Value): Value {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !isTrust(name))) as Value
}

/**
 * The environment of a caller without the trust that a call of testfleet around this one has given: its authority can be
 * the same. What the caller trusts by itself stays.
 */
export function leaveOuterTrust(environment: Variables): Variables {
  const { TESTFLEET_CA_FILE: outer } = environment
  if (outer === undefined) return environment
  const isOuter = (value: string | undefined): boolean => value !== undefined && dirname(value) === dirname(outer)
  return Object.fromEntries(Object.entries(environment).filter(([name, value]) => !isTrust(name) || !isOuter(value)))
}

function isTrust(name: string): boolean {
  return trustVariables.some((one) => one === name)
}
