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

test('removes only the variables that clients read: tests still name the authority themselves', () => {
  expect(leaveOutTrust({ ...session, ...trust })).toEqual(session)
})

test("removes the trust given by an outer call, and keeps the caller's own", () => {
  expect(leaveOuterTrust({ PATH: '/bin', ...session, ...trust })).toEqual({ PATH: '/bin', ...session })
  const own = { SSL_CERT_FILE: '/etc/corp.pem', PATH: '/bin' }
  expect(leaveOuterTrust(own)).toEqual(own)
  expect(leaveOuterTrust({ ...session, ...own })).toEqual({ ...session, ...own })
})
