import { expect, test } from 'vitest'
import { leaveOuterTrust, leaveOutTrust } from './trust-variables.ts'

const trust = {
  NODE_EXTRA_CA_CERTS: '/state/a/ca.pem',
  SSL_CERT_FILE: '/state/a/bundle-1.pem',
  CURL_CA_BUNDLE: '/state/a/bundle-1.pem',
  REQUESTS_CA_BUNDLE: '/state/a/bundle-1.pem',
}
const session = {
  TESTFLEET_SESSION: 'web',
  TESTFLEET_CA_FILE: '/state/a/ca.pem',
  TESTFLEET_CRL_FILE: '/state/a/crl.pem',
}

test('only the variables that clients read are left out: a test names the authority itself', () => {
  expect(leaveOutTrust({ ...session, ...trust })).toEqual(session)
})

test("the trust of an outer call is left out, and the caller's own stays", () => {
  expect(leaveOuterTrust({ PATH: '/bin', ...session, ...trust })).toEqual({ PATH: '/bin', ...session })
  const own = { SSL_CERT_FILE: '/etc/corp.pem', PATH: '/bin' }
  expect(leaveOuterTrust(own)).toEqual(own)
  expect(leaveOuterTrust({ ...session, ...own })).toEqual({ ...session, ...own })
})
