import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { globalFleet } from 'testfleet/vitest'

// The entries of the maintainers' server, without what the preset has: its base, and the settings of slapd.
const entries = ['03-pwpolicy-enable', '10-users']
  .flatMap((name) =>
    readFileSync(`tests/data/ldif/${name}.ldif`, 'utf8')
      .replaceAll('{{ LDAP_BASE_DN }}', 'dc=ldap,dc=local')
      .split(/\n\s*\n/),
  )
  .filter((entry) => !/^dn: ou=people,/im.test(entry))
  .map((entry) =>
    entry.replace(/^dn: uid=user4,.*$/m, '$&\npwdPolicySubentry: cn=passwordSpecial,ou=pwpolicies,dc=ldap,dc=local'),
  )
writeFileSync('seed.ldif', entries.join('\n\n'))

const start = globalFleet('./testfleet.yaml', { trust: false })
export default async (project) => {
  const end = await start(project)
  const { TESTFLEET_CA_FILE: ca, TESTFLEET_CLIENT_CERT_FILE: cert, TESTFLEET_CLIENT_KEY_FILE: key } = process.env
  mkdirSync('tests/data/certs', { recursive: true })
  for (const [name, file] of Object.entries({ ca, client: cert, 'client-key': key }))
    copyFileSync(file, `tests/data/certs/${name}.pem`)
  return end
}
