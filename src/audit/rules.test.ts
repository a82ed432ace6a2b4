import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditIn } from '../../tests/support/audit-in.ts'
import { type FindingId, findingIds } from '../model/finding.ts'
import type { Audit } from './audit.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'))
})

afterAll(() => rm(folder, { recursive: true }))

let count = 0

/** Audits a fleet in a folder with only these files. */
function audit(fleet: string, files: Readonly<Record<string, string>> = {}): Promise<Audit> {
  return auditIn(join(folder, `fleet-${count++}`), { ...files, 'testfleet.yaml': fleet })
}

const DIGEST = `@sha256:${'0'.repeat(64)}`

/** Keys without any finding. Each case adds to them or replaces them. */
const sound: Readonly<Record<string, string>> = {
  image: `nginx:1.27${DIGEST}`,
  user: 'www-data',
  capDrop: '[ALL]',
  ports: '[8000]',
  limits: '{ memory: 64m }',
}

function fleetOf(keys: Readonly<Record<string, string>>, rest = ''): string {
  const own = 'build' in keys ? { ...sound, image: undefined } : sound
  const lines = Object.entries({ ...own, ...keys }).filter(([, value]) => value !== undefined && value !== '')
  return `servers:\n  web:\n${lines.map(([key, value]) => `    ${key}: ${value}\n`).join('')}${rest}`
}

interface Case {
  readonly id: FindingId
  readonly bad: Readonly<Record<string, string>>
  readonly good: Readonly<Record<string, string>>
  /** Other servers, and files next to the fleet file, for both. */
  readonly rest?: string
  readonly files?: Readonly<Record<string, string>>
  /** Those of the fixed fleet, if they differ. */
  readonly goodRest?: string
  readonly goodFiles?: Readonly<Record<string, string>>
}

/** A build whose base is pinned. */
const build = (keys: string): string => `{ from: "debian:bookworm-slim${DIGEST}", ${keys} }`
const step = (text: string): Readonly<Record<string, string>> => ({ build: build(`run: [${JSON.stringify(text)}]`) })
const steps = (id: FindingId, bad: readonly string[], good: readonly string[]): Case[] =>
  bad.map((text, index) => ({ id, bad: step(text), good: step(good[index] ?? good[0] ?? 'true') }))
const environment = (text: string): Readonly<Record<string, string>> => ({ environment: `{ ${text} }` })
const own = { build: '{ dockerfile: Dockerfile }' }
const dockerfile = (...lines: readonly string[]): Readonly<Record<string, string>> => ({
  Dockerfile: `FROM debian:bookworm-slim${DIGEST}\n${lines.join('\n')}\nUSER www-data\n`,
})
const dockerfiles = (id: FindingId, bad: readonly string[], good: readonly string[]): Case => ({
  id,
  bad: own,
  good: own,
  files: dockerfile(...bad),
  goodFiles: dockerfile(...good),
})
/** A process of this machine, without the keys that only a container can have. */
const program = (command: string, keys: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  ...{ image: '', user: '', capDrop: '', limits: '', process: command },
  ...keys,
})
const processes: readonly Case[] = [
  ...['0.0.0.0', '--host=0.0.0.0', '0.0.0.0:80', 'tcp://[::]:80', '::'].map((word): Case => {
    const good = program('[node, "127.0.0.1", "--v=10.0.0.0", "a::b", "::1", "[::1]:80"]')
    return { id: 'process-off-loopback', bad: program(`[node, "${word}"]`), good }
  }),
  {
    id: 'process-off-loopback',
    bad: program('[node]', { environment: '{ BIND_ADDRESS: 0.0.0.0 }' }),
    good: program('[node]', { environment: '{ BIND_ADDRESS: 127.0.0.1, VERSION: 0.0.0.0 }' }),
  },
  { id: 'process-gains-rights', bad: program('[/usr/bin/sudo, node]'), good: program('[node, sudo]') },
  {
    id: 'process-unreachable',
    bad: { dependsOn: '[app]' },
    good: { dependsOn: '[app]', extraHosts: '{ machine.test: host-gateway }' },
    rest: '  app: { process: [node], ports: [81], ready: [{ tcp: 81 }] }\n',
  },
]
/** Assembled here, so that no scanner reports this file as a leak. */
const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N'].join('.')
const pem = ['-----BEGIN', 'RSA PRIVATE KEY-----'].join(' ')
const random = 'q7Zp2LxV9mKc4RtY8wBn3HsJ6dGf'
const other = (keys: string): string => `  other: { image: "nginx:1.27${DIGEST}", ${keys} }\n`

const images: readonly Case[] = [
  { id: 'image-not-pinned', bad: { image: 'nginx' }, good: { image: 'nginx:1.27' } },
  { id: 'image-not-pinned', bad: { image: 'a.example/b/nginx:latest' }, good: { image: `nginx:latest${DIGEST}` } },
  { id: 'image-not-pinned', bad: { build: '{ from: debian }' }, good: { build: '{ from: "debian:bookworm-slim" }' } },
  {
    id: 'image-not-pinned',
    bad: own,
    good: own,
    files: { Dockerfile: 'FROM debian:latest AS base\nFROM base\nUSER nobody\n' },
    goodFiles: {
      Dockerfile: 'ARG WHICH\nFROM --platform=linux/amd64 debian:12 AS base\nFROM base\nFROM $WHICH\nUSER nobody\n',
    },
  },
  { id: 'image-without-digest', bad: { image: 'nginx:1.27' }, good: {} },
  { id: 'image-end-of-life', bad: { image: 'debian:10-slim' }, good: { image: 'debian:12-slim' } },
  { id: 'image-end-of-life', bad: { image: 'library/ubuntu:18.04' }, good: { image: 'ubuntu:24.04' } },
  { id: 'image-end-of-life', bad: { image: 'alpine:3.1' }, good: { image: 'alpine:3.21' } },
  { id: 'image-end-of-life', bad: { image: 'postgres:9.6' }, good: { image: 'a.example/postgres:9.6' } },
  { id: 'image-registry-plain', bad: { image: '192.0.2.7:5000/a:1' }, good: { image: '127.0.0.1:5000/a:1' } },
  { id: 'image-registry-plain', bad: { image: 'a.example:5000/a:1' }, good: { image: 'a.example:443/a:1' } },
]

const secrets: readonly Case[] = [
  ...[
    'DB_PASSWORD: hunter2',
    'apiToken: abc123',
    'STRIPE_API_KEY: "12345"',
    'PGPASSWORD: x1',
    'SECRET_KEY_BASE: x1',
    'MYSQL_PWD: x1',
    'ADMIN_PASSWORD_2: x1',
  ].map(
    (text): Case => ({ id: 'secret-in-environment', bad: environment(text), good: environment('DB_USER: hunter2') }),
  ),
  ...[
    'DB_PASSWORD: { env: GIVEN }',
    'DB_PASSWORD: ""',
    'DB_PASSWORD_FILE: /run/secrets/DB',
    'PASSWORD: /run/secrets/DB',
    'API_TOKEN: <your token>',
    'TOKEN_TTL: 3600',
    'TOKEN_ENDPOINT: https://a.example/token',
    'PASSWORD_HASHER: argon2id',
    'FIRST_PASS: 1',
    'PASSWORD_AUTHENTICATION: optional',
    'ALLOW_EMPTY_PASSWORD_HINT: "no"',
    'COMPASS: north',
    'TOKENIZER: fast',
    'PWD: /srv',
  ].map((text): Case => ({ id: 'secret-in-environment', bad: environment('PASSWORD: x1'), good: environment(text) })),
  { id: 'secret-in-environment', bad: environment(`LINE: "bearer ${token}"`), good: environment('LINE: ghp_short') },
  {
    id: 'secret-in-environment',
    bad: environment('A: AKIAQ7Z2LXV4MKCRTYWB'),
    good: environment('A: AKIAIOSFODNN7EXAMPLE'),
  },
  { id: 'secret-in-environment', bad: environment(`A: ${jwt}`), good: environment('A: eyJh.eyJz.x') },
  { id: 'secret-looking-value', bad: environment(`A: ${random}`), good: environment(`IMAGE_SHA256: ${random}`) },
  {
    id: 'secret-looking-value',
    bad: environment('A: 9f86d081884c7d659a2feaa0c55ad015'),
    good: environment('A: 6ba7b810-9dad-11d1-80b4-00c04fd430c8'),
  },
  {
    id: 'secret-looking-value',
    bad: environment(`A: ${random}`),
    good: environment('A: org.example.SomeVeryLongNameOfAClass2'),
  },
  {
    id: 'secret-in-build',
    bad: { build: build('environment: { NPM_TOKEN: abc123 }') },
    good: { build: build('environment: { NPM_REGISTRY: abc123 }') },
  },
  {
    id: 'secret-in-build',
    bad: { build: '{ dockerfile: Dockerfile, args: { GIT_PASSWORD: abc123 } }' },
    good: { build: '{ dockerfile: Dockerfile, args: { GIT_USER: abc123 } }' },
    files: dockerfile(),
  },
  dockerfiles(
    'secret-in-build',
    ['ENV A=1 \\', '  DB_PASSWORD="a b"'],
    ['ARG DB_PASSWORD', 'ENV A=1 DB_PASSWORD=$DB_PASSWORD'],
  ),
  { id: 'secret-in-label', bad: { labels: '{ api-token: abc123 }' }, good: { labels: '{ team: abc123 }' } },
  { id: 'secret-in-command', bad: { command: '[x, --password=abc1]' }, good: { command: '[x, --password-file=/a]' } },
  {
    id: 'secret-in-command',
    bad: { command: '[x, --requirepass, abc1]' },
    good: { command: '[x, --token, --verbose]' },
  },
  {
    id: 'secret-in-environment',
    bad: { execEnvironment: '{ PGPASSWORD: hunter2 }' },
    good: { execEnvironment: '{ PGUSER: hunter2 }' },
  },
  {
    id: 'secret-in-environment',
    bad: { postStart: '[{ command: [x], environment: { DB_PASSWORD: hunter2 } }]' },
    good: { postStart: '[{ command: [x], environment: { DB_USER: hunter2 } }]' },
  },
  { id: 'secret-in-command', bad: { preStart: '[[x, --password=abc1]]' }, good: { preStart: '[[x, --user=abc1]]' } },
  { id: 'shell-evaluates', bad: { preStop: `[{ command: [sh, -c, 'eval "$A"'] }]` }, good: { preStop: '[[a]]' } },
  { id: 'secret-in-command', bad: { entrypoint: `[x, ${token}]` }, good: { entrypoint: '[x, token]' } },
  {
    id: 'secret-in-command',
    bad: { ready: '[{ exec: [x, --secret-key, abc1] }]' },
    good: { ready: '[{ exec: [x, --secret-key, $KEY] }]' },
  },
  {
    id: 'secret-in-content',
    bad: { build: build(`copy: [{ content: "token ${token}", to: /a }]`) },
    good: { build: build('copy: [{ content: "token from a file", to: /a }]') },
  },
  {
    id: 'secret-in-copied-file',
    bad: { build: build('copy: [{ from: settings, to: /a }]') },
    good: { build: build('copy: [{ from: settings, to: /a }]') },
    files: { 'settings/deep/a.conf': `key = ${token}\n` },
    goodFiles: { 'settings/deep/a.conf': 'key = from-a-file\nurl = http://user:password@a.example\n' },
  },
  {
    id: 'secret-in-export',
    bad: { export: '{ API_TOKEN: abc123 }' },
    good: { secrets: '{ T: { generate: 24 } }', export: '{ API_TOKEN: "${secret.T}" }' },
  },
  ...steps(
    'secret-in-run',
    ['export NPM_TOKEN=abc123 && npm ci', "echo 'alice:hunter2' | chpasswd", `git clone https://x/?t=${token}`],
    ['export NPM_REGISTRY=abc123', 'echo "alice:$PASSWORD" | chpasswd', 'PASSWORD=$(cat /run/secrets/P) x'],
  ),
  {
    id: 'password-in-url',
    bad: environment('DB: "postgres://alice:hunter2@db:5432/a"'),
    good: environment('DB: "postgres://alice@db:5432/a?x=a:b@c"'),
  },
  {
    id: 'password-in-url',
    bad: { export: '{ DB: "redis://a:b@${host}" }' },
    good: { secrets: '{ P: { generate: 24 } }', export: '{ DB: "redis://a:${secret.P}@${host}" }' },
  },
  {
    id: 'private-key',
    bad: { build: build(`copy: [{ content: "${pem}", to: /a }]`) },
    good: { build: build('copy: [{ content: "-----BEGIN CERTIFICATE-----", to: /a }]') },
  },
  {
    id: 'private-key',
    bad: { build: build('copy: [{ from: key.pem, to: /a }]') },
    good: { build: build('copy: [{ from: key.pem, to: /a }]') },
    files: { 'key.pem': `${pem}\n` },
    goodFiles: { 'key.pem': '-----BEGIN PUBLIC KEY-----\n' },
  },
  ...[{ secrets: '{ T: { env: GIVEN } }' }, { environment: '{ T: { env: GIVEN } }' }].map(
    (bad): Case => ({ id: 'variable-of-caller', bad, good: { secrets: '{ T: { generate: 24 } }' } }),
  ),
  { id: 'secret-short', bad: { secrets: '{ P: { generate: 8 } }' }, good: { secrets: '{ P: { generate: 16 } }' } },
  {
    id: 'secret-in-file',
    bad: { secrets: '{ P: { value: guest } }' },
    good: { secrets: '{ P: { generate: 24 } }' },
  },
  {
    id: 'login-off',
    bad: { image: '', preset: './own', options: '{ login: false }' },
    good: { image: '', preset: './own', options: '{ login: true }' },
    files: {
      'own/preset.yaml': `description: d
options: { login: { type: boolean, default: true, describe: d } }
server: { image: "nginx:1.27${DIGEST}", secrets: { P: { if: login, then: { generate: 24 } } } }
`,
    },
  },
  {
    id: 'secret-as-environment',
    bad: { secrets: '{ P: { generate: 24 } }', environment: '{ P: { secret: P } }' },
    good: { secrets: '{ P: { generate: 24 } }', environment: '{ P_FILE: /run/secrets/P }' },
  },
]

const files: readonly Case[] = [
  {
    id: 'copy-world-writable',
    bad: { build: build('copy: [{ content: x, to: /a, mode: "0666" }]') },
    good: { build: build('copy: [{ content: x, to: /a, mode: "0664" }]') },
  },
  {
    id: 'copy-setuid',
    bad: { build: build('copy: [{ content: x, to: /a, mode: "4755" }]') },
    good: { build: build('copy: [{ content: x, to: /a, mode: "1755" }]') },
  },
  {
    id: 'tmpfs-world-writable',
    bad: { tmpfs: '[{ to: /a, size: 1m, mode: "0777" }]' },
    good: { tmpfs: '[{ to: /a, size: 1m, mode: "1777" }]' },
  },
  {
    id: 'mount-writable',
    bad: { mounts: '[{ from: data, to: /a, writable: true }]' },
    good: { mounts: '[{ from: data, to: /a }, { volume: v, to: /b, writable: true }]' },
    files: { 'data/x': '' },
  },
  {
    id: 'mount-fleet-folder',
    bad: { mounts: '[{ from: ".", to: /a }]' },
    good: { mounts: '[{ from: data, to: /a }]' },
    files: { 'data/x': '' },
  },
  ...['.env', '.env.local', 'id_rsa', '.git/config', '.npmrc', 'vault.kdbx', '.aws/credentials'].map(
    (path): Case => ({
      id: 'sensitive-file-copied',
      bad: { build: build('copy: [{ from: a, to: /a }]') },
      good: { build: build('copy: [{ from: a, to: /a }]') },
      files: { [`a/${path}`]: 'x' },
      goodFiles: {
        'a/.env.example': 'x',
        'a/id_rsa.pub': 'x',
        'a/git': 'x',
        'a/environment': 'x',
        'a/.gitignore': 'x',
      },
    }),
  ),
  {
    id: 'sensitive-file-mounted',
    bad: { mounts: '[{ from: .env, to: /a }]' },
    good: { mounts: '[{ from: env, to: /a }]' },
    files: { '.env': '', env: '' },
  },
  ...[
    { mounts: '[{ from: /etc, to: /a, outside: true }]' },
    { build: build('copy: [{ from: /etc/hostname, to: /a, outside: true }]') },
    { secrets: '{ S: { file: /etc/hostname, outside: true } }' },
    { build: '{ dockerfile: Dockerfile, outside: true }' },
  ].map(
    (bad): Case => ({
      id: 'leads-outside',
      bad,
      good: { mounts: '[{ from: Dockerfile, to: /a }]' },
      files: dockerfile(),
    }),
  ),
]

const rights: readonly Case[] = [
  { id: 'runs-as-root', bad: { user: '', capDrop: '' }, good: { user: '', capDrop: '[ALL]' } },
  ...['[SETUID]', '[NET_BIND_SERVICE, CHOWN]'].flatMap((capAdd): Case[] => [
    { id: 'runs-as-root', bad: { user: '', capAdd }, good: { user: '1000', capAdd } },
    { id: 'runs-as-root', bad: { user: 'root', capAdd }, good: { user: 'root', capAdd: '' } },
  ]),
  { id: 'runs-as-root', bad: { user: '0:0', capDrop: '' }, good: { user: '1000', capDrop: '' } },
  {
    id: 'runs-as-root',
    bad: { ...own, user: '', capDrop: '' },
    good: { ...own, user: '', capDrop: '' },
    files: { Dockerfile: 'FROM debian:12 AS a\nUSER nobody\nFROM debian:12\nRUN true\n' },
    goodFiles: { Dockerfile: 'FROM debian:12 AS a\nUSER nobody\nFROM a\nRUN true\n' },
  },
  { id: 'privileged', bad: { unsafe: '{ privileged: true }' }, good: { unsafe: '{ privileged: false }' } },
  { id: 'engine-socket', bad: { unsafe: '{ engineSocket: true }' }, good: { unsafe: '{ engineSocket: false }' } },
  { id: 'device-of-machine', bad: { devices: '[/dev/mem:r]' }, good: { devices: '[/dev/fuse, "/dev/net/tun:rwm"]' } },
  { id: 'new-privileges', bad: { unsafe: '{ newPrivileges: true }' }, good: { unsafe: '{ newPrivileges: false }' } },
  ...['SYS_ADMIN', 'CAP_SYS_MODULE', 'SYS_PTRACE', 'DAC_READ_SEARCH', 'SYS_RAWIO', 'BPF', 'NET_ADMIN', 'ALL'].map(
    (capability): Case => ({
      id: 'capability-added',
      bad: { capAdd: `[${capability}]` },
      good: { capAdd: '[NET_BIND_SERVICE]' },
    }),
  ),
  { id: 'capabilities-kept', bad: { capDrop: '[CHOWN]' }, good: { capDrop: '[ALL]', capAdd: '[CHOWN]' } },
  ...['net.ipv4.conf.all.accept_redirects: 1', 'net.ipv4.conf.eth0.rp_filter: 0', 'net.ipv4.tcp_syncookies: 0'].map(
    (text): Case => ({
      id: 'sysctl-weakens',
      bad: { sysctls: `{ ${text} }` },
      good: { sysctls: '{ net.core.somaxconn: 1024, net.ipv4.tcp_syncookies: 1 }' },
    }),
  ),
  {
    id: 'protection-off',
    bad: environment('ALLOW_EMPTY_PASSWORD: "yes"'),
    good: environment('ALLOW_EMPTY_PASSWORD: "no"'),
  },
  {
    id: 'protection-off',
    bad: environment('POSTGRES_HOST_AUTH_METHOD: trust'),
    good: environment('POSTGRES_HOST_AUTH_METHOD: scram-sha-256'),
  },
]

const network: readonly Case[] = [
  ...['0.0.0.0', '"::"', '192.0.2.1'].map(
    (address): Case => ({
      id: 'port-off-loopback',
      bad: { ports: `[{ container: 8443, address: ${address} }]` },
      good: { ports: '[8443, { container: 81, address: 127.0.0.2 }, { container: 82, address: "::1" }]' },
    }),
  ),
  ...[21, 23, 25, 80, 110, 143, 389, 512, 514, 5900, 6379, 11211, 27017, 3306, 5432].map(
    (port): Case => ({
      id: 'plaintext-off-loopback',
      bad: { ports: `[{ container: ${port}, address: 0.0.0.0 }]` },
      good: { ports: `[${port}, { container: 993, address: 0.0.0.0 }]` },
    }),
  ),
  {
    id: 'low-host-port',
    bad: { ports: '[{ container: 80, host: 80 }]' },
    good: { ports: '[{ container: 80, host: 8080 }]' },
  },
  { id: 'engine-port', bad: { ports: '[2375]' }, good: { ports: '[2376]' } },
  {
    id: 'host-shadowed',
    bad: { extraHosts: '{ deb.debian.org: 192.0.2.1 }' },
    good: { extraHosts: '{ host.docker.internal: host-gateway, localhost: 127.0.0.1, a.example: 192.0.2.1 }' },
  },
  {
    id: 'host-shadowed',
    bad: { extraHosts: '{ other: 192.0.2.1 }' },
    good: { extraHosts: '{ others: 192.0.2.1 }' },
    rest: other('ports: [81]'),
  },
  {
    id: 'public-name',
    bad: { publicNames: 'true', aliases: '[api.github.com]' },
    good: { publicNames: 'true', aliases: '[api.github.test, github]' },
  },
  {
    id: 'public-name',
    bad: { publicNames: 'true', tls: '{ names: ["*.debian.org"] }' },
    good: { publicNames: 'true', tls: '{ names: ["*.debian.test", 127.0.0.1] }' },
  },
  {
    id: 'variable-shared',
    bad: { export: '{ OTHER_URL: "http://${host}/" }' },
    good: { export: '{ WEB_URL: "http://${host}/" }' },
    rest: other('ports: [81], export: { OTHER_URL: "http://${host}/" }'),
  },
  {
    id: 'ftp-data-ports-not-published',
    bad: { ports: '[2121, 30000]', ready: '[{ ftp: 2121 }]' },
    good: { ports: '[2121, { container: 30000, host: 30000 }]', ready: '[{ ftp: 2121 }]' },
  },
  {
    id: 'ftp-data-ports-not-published',
    bad: { ports: '[{ container: 2121, host: 2121 }]', ready: '[{ ftp: { port: 2121 } }]' },
    good: { ports: '[8000]', ready: '[{ ftp: 2121 }]' },
  },
  { id: 'variable-replaced', bad: { export: '{ GIVEN: "${host}" }' }, good: { export: '{ WEB_HOST: "${host}" }' } },
]

const builds: readonly Case[] = [
  ...steps(
    'pipe-to-shell',
    [
      'curl -fsSL https://a.example/install | sh',
      'wget -qO- https://a.example/x | sudo -E bash -s -- --yes',
      'curl https://a.example | tee log | cat; curl https://b.example | python3',
      'bash <(curl -s https://a.example/x)',
      'sh -c "$(curl -fsSL https://a.example)"',
      'curl \\\n  https://a.example | sh',
    ],
    [
      'curl -fsSLO https://a.example/install.sh',
      'curl https://a.example/a.tar.gz | tar xz',
      'wget https://a.example/x.sh; sha256sum -c sums && sh x.sh',
    ],
  ),
  dockerfiles(
    'pipe-to-shell',
    ['RUN apt-get update && \\', '# why', '  curl https://a.example | sh'],
    ['# RUN curl https://a.example | sh', 'RUN true'],
  ),
  dockerfiles('pipe-to-shell', ['RUN <<EOF', 'curl https://a.example | sh', 'EOF'], ['RUN <<EOF', 'true', 'EOF']),
  ...steps(
    'chmod-world-writable',
    [
      'chmod 777 /a',
      'chmod -R 0666 /a',
      'chmod -R a+w /a',
      'chmod o+rw /a',
      'chmod u+x,o+w /a',
      'chmod --recursive ugo+rwX /a',
    ],
    ['chmod 755 /a', 'chmod 1777 /tmp', 'chmod u+w /a', 'chmod g+w /a', 'chmod a+x /a', 'chmod o-w /a'],
  ),
  ...steps(
    'packages-not-verified',
    [
      'apt-get install --allow-unauthenticated x',
      'apt-get install --force-yes x',
      'echo "deb [arch=amd64 trusted=yes] https://a.example ./" > /etc/a',
      'apk add --allow-untrusted x.apk',
    ],
    ['apt-get install --yes x', 'echo "deb [signed-by=/a.gpg] https://a.example ./" > /etc/a'],
  ),
  {
    id: 'packages-not-verified',
    bad: { build: build('copy: [{ content: "deb [trusted=yes] https://a.example ./", to: /a }]') },
    good: { build: build('copy: [{ content: "deb [signed-by=/k] https://a.example ./", to: /a }]') },
  },
  ...steps(
    'tls-not-verified',
    [
      'curl -k https://a.example',
      'curl -fsSLk https://a.example',
      'curl --insecure https://a.example',
      'wget --no-check-certificate https://a.example',
      'pip install --trusted-host a.example x',
      'git -c http.sslVerify=false clone https://a.example',
    ],
    [
      'curl -fsSL https://a.example',
      'curl -o k https://a.example',
      'curl -k https://localhost/',
      'curl --key k https://a.example',
      'pip install x',
      'git clone https://a.example',
    ],
  ),
  {
    id: 'tls-not-verified',
    bad: environment('NODE_TLS_REJECT_UNAUTHORIZED: 0'),
    good: environment('NODE_TLS_REJECT_UNAUTHORIZED: 1'),
  },
  ...steps('apt-key', ['apt-key add a.gpg', 'apt-key adv --recv-keys 1'], ['gpg --dearmor a.gpg', 'apt-key list']),
  ...steps(
    'plain-http-source',
    [
      'curl http://a.example/x',
      'git clone http://a.example/x',
      'pip install -i http://a.example x',
      'echo "deb [signed-by=/k] http://a.example ./" > /a',
    ],
    ['curl https://a.example/x', 'curl http://localhost:8080/', 'echo http://a.example'],
  ),
  ...steps(
    'sudo-in-run',
    ['sudo apt-get update', 'true && sudo make install'],
    ['apt-get update', 'echo pseudo sudoers'],
  ),
  {
    id: 'packages-not-pinned',
    bad: { build: build('packages: [nginx]') },
    good: { build: build('packages: ["nginx=1.22.1-9"]') },
  },
  {
    id: 'packages-not-pinned',
    bad: { build: build('packages: [nginx, "nginx-light=1.22.1-9"]') },
    good: { build: build('packages: [nginx, "nginx=1.22.1-9"]') },
  },
  ...steps('shell-evaluates', ['eval "$SETUP"'], ['"$SETUP"']),
  { id: 'shell-evaluates', bad: { command: '[sh, -c, "eval $START"]' }, good: { command: '[sh, -c, exec "$START"]' } },
  {
    id: 'dockerfile-without-user',
    bad: { ...own, user: '' },
    good: { ...own, user: '' },
    files: { Dockerfile: 'FROM debian:12\n' },
    goodFiles: dockerfile(),
  },
  dockerfiles(
    'dockerfile-add-url',
    ['ADD https://a.example/x /x'],
    [`ADD --checksum=sha256:${'0'.repeat(64)} https://a.example/x /x`, 'ADD x /x'],
  ),
]

const robustness: readonly Case[] = [
  { id: 'ready-missing', bad: { ports: '["53/udp"]' }, good: { ports: '["53/udp", 53]' } },
  { id: 'ready-missing', bad: { ready: '[]' }, good: { ready: '[{ exec: [x] }]' } },
  { id: 'ready-log-only', bad: { ready: '[{ log: started }]' }, good: { ready: '[{ log: started }, { tcp: 8000 }]' } },
  { id: 'ready-timeout-long', bad: { readyTimeout: '11m' }, good: { readyTimeout: '10m' } },
  {
    id: 'dependency-without-ready',
    bad: { dependsOn: '[other]' },
    good: { dependsOn: '[other]' },
    rest: other('user: a'),
    goodRest: other('user: a, ports: [81]'),
  },
  { id: 'memory-unlimited', bad: { limits: '{ cpus: 1 }' }, good: { limits: '{ memory: 1g }' } },
  { id: 'tmpfs-unsized', bad: { tmpfs: '[/a]' }, good: { tmpfs: '[{ to: /a, size: 1m }]' } },
  {
    id: 'server-unused',
    bad: { ports: '', ready: '[{ exec: [x] }]' },
    good: { ports: '', export: '{ A: "${hostname}" }' },
  },
  { id: 'server-unused', bad: { ports: '' }, good: { ports: '' }, goodRest: other('dependsOn: [web], ports: [81]') },
  {
    id: 'ignore-unused',
    bad: { ignore: '[{ id: privileged, reason: it was so once }]' },
    good: { unsafe: '{ privileged: true }', ignore: '[{ id: privileged, reason: it mounts disks }]' },
  },
]

const cases: readonly Case[] = [
  ...images,
  ...secrets,
  ...files,
  ...rights,
  ...network,
  ...builds,
  ...processes,
  ...robustness,
]

/** Their files are keys: `src/config/own-certificate.test.ts` has these cases. */
const elsewhere: readonly FindingId[] = ['certificate-expired', 'certificate-name']

describe('every kind of finding', () => {
  test.each(cases.map((one) => [one.id, JSON.stringify(one.bad), JSON.stringify(one.good), one] as const))(
    '%s is found with %s, and not with %s',
    async (id, _bad, _good, one) => {
      const idsOf = ({ findings }: Audit): string[] => findings.map((finding) => finding.id)
      expect(idsOf(await audit(fleetOf(one.bad, one.rest), one.files))).toContain(id)
      const fixed = await audit(fleetOf(one.good, one.goodRest ?? one.rest), one.goodFiles ?? one.files)
      expect(idsOf(fixed)).not.toContain(id)
    },
  )

  test('has a case in this file', () => {
    expect(findingIds.filter((id) => !elsewhere.includes(id) && !cases.some((one) => one.id === id))).toEqual([])
  })

  test('is absent from a harmless fleet', async () => {
    expect(await audit(fleetOf({}))).toEqual({ findings: [], ignored: [] })
  })
})

describe('the severity of a finding depends on the case', () => {
  const mount = (from: string): Readonly<Record<string, string>> => ({
    mounts: `[{ from: ${from}, to: /a, outside: true }]`,
  })
  test.each<[id: FindingId, severity: string, keys: Readonly<Record<string, string>>]>([
    ['capability-added', 'critical', { capAdd: '[SYS_ADMIN]' }],
    ['capability-added', 'high', { capAdd: '[SYS_PTRACE]' }],
    ['capability-added', 'medium', { capAdd: '[NET_ADMIN]' }],
    ['capability-added', 'low', { capAdd: '[NET_RAW]' }],
    ['engine-port', 'high', { ports: '[2375]' }],
    ['engine-port', 'critical', { ports: '[{ container: 2375, address: 0.0.0.0 }]' }],
    ['mount-fleet-folder', 'medium', { mounts: '[{ from: ., to: /a }]' }],
    ['mount-fleet-folder', 'high', { mounts: '[{ from: ., to: /a, writable: true }]' }],
    ['leads-outside', 'critical', mount('/')],
    ['leads-outside', 'critical', mount('/proc')],
    ['leads-outside', 'high', mount('/etc')],
    ['leads-outside', 'medium', mount('/usr/share')],
    ['plain-http-source', 'low', step('echo "deb http://a.example ./" > /a')],
    ['plain-http-source', 'medium', step('curl http://a.example')],
  ])('%s is %s with %j', async (id, severity, keys) => {
    const { findings } = await audit(fleetOf(keys))
    expect(findings.find((finding) => finding.id === id)).toMatchObject({ severity })
  })
})

test.each([
  { command: `[x, --token=${token}]` },
  { command: `[x, --token, ${token}]` },
  step(`export NPM_TOKEN=${token}`),
  environment(`API_TOKEN: ${token}`),
])('one secret is reported once: %j', async (keys) => {
  const { findings } = await audit(fleetOf(keys))
  expect(findings.filter(({ id }) => id.startsWith('secret'))).toHaveLength(1)
})

test('an external server whose URL is the variable that it exports has no finding about the variable', async () => {
  const find = async (external: string): Promise<string[]> => {
    const { findings } = await audit(
      `servers: { db: { ${external} ports: [80], export: { GIVEN_URL: "tcp://\${endpoint.80}" } } }\n`,
    )
    return findings.map(({ id }) => id).filter((id) => id.startsWith('variable-'))
  }
  expect(await find('external: { env: GIVEN_URL },')).toEqual([])
  expect(await find('external: "tcp://127.0.0.1:80",')).toEqual(['variable-replaced'])
})

test('a server without a container has no findings about containers', async () => {
  const servers =
    '{ app: { process: [node, --password=hunter22], ports: [80] }, db: { external: "tcp://u:pw@127.0.0.1:80" } }'
  const { findings } = await audit(`servers: ${servers}\n`)
  expect(findings.map(({ id, server }) => `${server}: ${id}`).sort()).toEqual([
    'app: secret-in-command',
    'db: password-in-url',
  ])
})
