import { dirname } from 'node:path'

/** Variables by which clients trust the fleet's authority. `--no-trust` leaves all of them out. */
const trustVariables = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'] as const

type Variables = Readonly<Record<string, string | undefined>>

/** Returns a session's variables without those that make clients trust its authority. */
export function leaveOutTrust<Value extends Variables>(variables: Value): Value {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !isTrust(name))) as Value
}

/**
 * Returns the caller's environment without the trust variables set by an outer call of testfleet, whose authority can
 * be the same. What the caller itself trusts is kept.
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
