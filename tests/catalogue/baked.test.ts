import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { wide } from '../support/tiers.ts'

/**
 * Presets that keep passwords in their data, and a login of `ann` to each, whose password is in the variable P. Their other
 * tests run with baked images with CATALOGUE_BAKED=1.
 */
const logins = {
  postgresql: 'PGPASSWORD=$P psql -h 127.0.0.1 -U ann -d test -c "SELECT 1"',
  mariadb: 'MYSQL_PWD=$P mariadb --no-defaults -h 127.0.0.1 -u ann -e "SELECT 1"',
  openldap: 'ldapwhoami -x -H ldap://127.0.0.1 -D uid=ann,ou=people,dc=example,dc=test -w "$P"',
  etcd: 'ETCDCTL_ENDPOINTS=http://127.0.0.1:2379 ETCDCTL_USER=ann ETCDCTL_PASSWORD=$P etcdctl get key',
  rabbitmq: 'HOME=/var/lib/rabbitmq rabbitmqctl authenticate_user ann "$P"',
  openssh: `perl -e '$hash = (getpwnam("ann"))[1]; exit(crypt($ENV{P}, $hash) ne $hash)'`,
} as const

/** Writes the throw-away password into the image, as no fleet should. */
const leak = { command: ['sh', '-c', 'cat /run/secrets/user.ann > /thrown-away; chmod a+r /thrown-away'], user: 'root' }

let session: CatalogueSession

beforeAll(async () => {
  const users = { ann: { generate: 20 } }
  const servers = Object.keys(logins).map((preset) => [preset, { preset, options: { users }, bake: [leak] }])
  session = await startCatalogue(Object.fromEntries(servers), {}, [])
})

afterAll(() => session.end())

describe.for(Object.entries(logins))('a baked %s', ([preset, command]) => {
  const login = (file: string) =>
    session.fleet.call([
      'exec',
      '--user',
      preset === 'rabbitmq' ? 'rabbitmq' : 'root',
      preset,
      '--',
      'sh',
      '-c',
      `P=$(cat ${file}); export P; ${command}`,
    ])

  test('accepts the password of its session, and not the one from baking', wide, async () => {
    const own = await login('/run/secrets/user.ann')
    expect(own.exitCode, own.stderr).toBe(0)
    expect((await login('/thrown-away')).exitCode).not.toBe(0)
  })
})
