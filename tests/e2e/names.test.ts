import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, connect as open } from 'node:net'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type CommandOptions,
  type CommandResult,
  ofItsOwn,
  removeFleetFolders,
  startTestfleet,
  withEngine,
} from '../support/command.ts'
import { findOrdinaryUser, type OrdinaryUser } from '../support/ordinary-user.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

/** What the tests are run by, and somebody without rights, where that is not the same. */
type Who = 'an ordinary user' | 'root'
const everybody: readonly Who[] = process.getuid?.() === 0 ? ['an ordinary user', 'root'] : ['an ordinary user']

const postgres = '/usr/lib/postgresql/15/bin/postgres'
const cluster = { data: '/var/lib/postgresql/15/main', conf: '/etc/postgresql/15/main' }

const ftpSettings = `listen=YES
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root=/srv/ftp
secure_chroot_dir=/usr/share/empty
pasv_min_port=30000
pasv_max_port=30009
`

let fleet: StoryFleet
let user: OrdinaryUser
let report: SessionReport
/** The folder that an ordinary user calls from, which is his. */
let home: string

beforeAll(async () => {
  fleet = await makeFleet({
    web: {
      image: 'debian:bookworm-slim',
      command: httpServer(80, 'the page\n'),
      ports: [80],
      aliases: ['shop.example', 'localhost'],
      ready: [{ http: { port: 80 } }],
    },
    db: {
      build: {
        packages: ['postgresql'],
        copy: [{ content: 'host all all all trust\n', to: `${cluster.conf}/pg_hba.conf`, mode: '0644' }],
      },
      user: 'postgres',
      command: [
        postgres,
        '-D',
        cluster.data,
        '-c',
        `config_file=${cluster.conf}/postgresql.conf`,
        '-c',
        'listen_addresses=*',
      ],
      ready: [{ exec: ['pg_isready', '--host=127.0.0.1'] }],
    },
    shell: {
      build: {
        packages: ['openssh-server'],
        copy: [{ from: 'key.pub', to: '/root/.ssh/authorized_keys', mode: '0600' }],
        run: ['chmod 700 /root/.ssh', 'install -d /run/sshd'],
      },
      command: ['/usr/sbin/sshd', '-D', '-e'],
      capAdd: ['SETUID', 'SETGID', 'SYS_CHROOT', 'CHOWN', 'KILL', 'AUDIT_WRITE'],
      ports: [22],
      ready: [{ tcp: { port: 22, expect: 'SSH-2.0' } }],
    },
    ftp: {
      build: {
        packages: ['vsftpd'],
        copy: [{ content: ftpSettings, to: '/etc/vsftpd.conf', mode: '0644' }],
        run: ['mkdir --parents /usr/share/empty'],
      },
      init: true,
      command: ['vsftpd', '/etc/vsftpd.conf'],
      ports: [21],
      ready: [{ ftp: 21 }],
      export: { FTP_URL: 'ftp://${endpoint.21}' },
    },
  })
  user = await findOrdinaryUser()
  await chmod(fleet.folder, 0o755)
  home = join(fleet.folder, 'home')
  await mkdir(home)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'key')])
  await writeFile(join(fleet.folder, 'key.pub'), await readFile(join(home, 'key.pub')))
  await writeFile(join(home, 'own'), 'his own\n', { mode: 0o600 })
  for (const path of [home, join(home, 'own'), join(home, 'key')]) await chown(path, user.userId, user.groupId)
  report = await fleet.json(['up', 'web'])
})

afterAll(async () => {
  await fleet?.cleanUp()
  await removeFleetFolders()
})

const nameOf = (server: string): string => `${server}.${fleet.name}.test`

interface JoinOptions extends CommandOptions {
  readonly who?: Who
  readonly words?: readonly string[]
  /** In front of the command, with the rights of `who`. */
  readonly within?: readonly string[]
}

/** Docker's settings are looked for there. */
const ownHome = (who: Who) => (who === 'root' ? {} : { HOME: home })

/** Runs a command in the session, as its user would. */
function start(
  command: readonly string[],
  { who = 'an ordinary user', words = ['--quiet'], within = [], ...options }: JoinOptions = {},
) {
  const call = [...user.command, 'join', '--session', fleet.name, ...words, '--', ...command]
  const prefix = [...(who === 'root' ? [] : user.prefix), ...within, ...call]
  const env = { ...ownHome(who), ...options.env }
  return startTestfleet([], { cwd: home, prefix, isBare: true, ...options, env })
}

const inSession = async (command: readonly string[], options?: JoinOptions): Promise<CommandResult> =>
  ofItsOwn(await start(command, options).result, fleet.name)

const python = 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())'
const node = 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))'

const clients: Readonly<Record<string, () => readonly string[]>> = {
  curl: () => ['curl', '-sS', '--max-time', '60', `http://${nameOf('web')}/`],
  'curl, by an alias': () => ['curl', '-sS', '--max-time', '60', 'http://shop.example/'],
  Node: () => [user.node, '-e', node, `http://${nameOf('web')}/`],
  Python: () => ['/usr/bin/python3', '-c', python, `http://${nameOf('web')}/`],
}

describe.each(everybody)('as %s', (who) => {
  for (const name of Object.keys(clients)) {
    test(
      `${name} reaches a server by its name, at its real port`,
      wideIf(name === 'Python' || name.includes('alias') || (who === 'root' && name !== 'curl')),
      async () => {
        const result = await inSession(clients[name]?.() ?? [], { who })
        expect(result).toMatchObject({ stderr: '', stdout: 'the page\n', exitCode: 0 })
      },
    )
  }

  test('the command has the same identity, working folder and environment as without names', async () => {
    const code = `
      const { readFileSync } = require('node:fs')
      // How many signals wait is counted for all processes of the user.
      const text = readFileSync('/proc/self/status', 'utf8').replace(/^(SigQ:\\s+)[0-9]+/m, '$1')
      const status = text.match(/^(?:Cap|Uid|Gid|NoNewPrivs|Seccomp|Sig|Umask).*$/gm)
      // Each command is marked by another value.
      const environment = Object.entries(process.env).filter(([name]) => name !== 'TESTFLEET_COMMAND').sort()
      console.log(JSON.stringify({ status, environment, folder: process.cwd(), called: process.argv0,
        own: readFileSync('own', 'utf8'), group: process.getpgrp === undefined }))`
    // No shell would hand on a variable of such a name.
    const env = {
      'a.b-c': 'kept',
      'BASH_FUNC_x%%': '() { :; }',
      EMPTY: '',
      PATH: `${dirname(user.node)}:${process.env.PATH}`,
    }
    const look = async (way: string): Promise<Record<string, unknown>> => {
      const result = await inSession(['node', '-e', code], { who, env, words: ['--quiet', '--names', way] })
      expect(result.stderr).toBe('')
      return JSON.parse(result.stdout)
    }
    const [inside, outside] = await Promise.all([look('namespace'), look('none')])
    expect(inside).toEqual(outside)
    expect(inside).toMatchObject({ folder: home, own: 'his own\n', called: 'node' })
    expect(inside.environment).toContainEqual(['a.b-c', 'kept'])
    if (who !== 'root') expect(inside.status).toContain('CapEff:\t0000000000000000')
  })

  test('names of this machine still resolve, and the /etc/hosts of this machine does not change', async () => {
    const before = await readFile('/etc/hosts', 'utf8')
    const gate = join(home, `gate-${who.replaceAll(' ', '-')}`)
    execFileSync('mkfifo', ['-m', '666', gate])
    const names = ['localhost', hostname(), nameOf('web')]
    const script = 'gate=$1; shift; for name; do getent ahostsv4 "$name"; done; cat "$gate" /etc/hosts'
    const running = start(['sh', '-c', script, 'sh', gate, ...names], { who })
    await running.waitForOutput(new RegExp(` ${nameOf('web')}$`, 'm'))
    expect(await readFile('/etc/hosts', 'utf8')).toBe(before)
    await writeFile(gate, 'the file:\n')
    const [found = '', file] = (await running.result).stdout.split('the file:\n')
    expect(found).toMatch(/^127\.0\.0\.1\s+STREAM localhost$/m)
    expect(found).toMatch(new RegExp(`STREAM ${hostname()}$`, 'm'))
    expect(found).toMatch(new RegExp(`^${report.servers.web?.ip}\\s+STREAM ${nameOf('web')}$`, 'm'))
    const ours = `${report.servers.web?.ip}\t${nameOf('web')} shop.example ${nameOf('localhost')}\n`
    expect(file).toBe(`${before.replace(/[^\n]$/, '$&\n')}${ours}`)
    expect(await readFile('/etc/hosts', 'utf8')).toBe(before)
  })

  for (const [outside, inside] of [
    [[], []],
    [[], ['--names', 'none']],
    [['--names', 'proxy'], []],
  ] as const) {
    const title = `a session inside another one has its own names: first with ${JSON.stringify(outside)}, then with ${JSON.stringify(inside)}`
    test(title, wideIf(who === 'root' || outside.length + inside.length > 0), async () => {
      const file = join(fleet.folder, 'testfleet.json')
      const inner = [...user.command, 'run', '--quiet', ...inside, '--server', 'web', '-f', file, '--']
      const look = `${user.command.join(' ')} hosts | tail -n 1; getent hosts $TESTFLEET_WEB_HOSTNAME shop.example; env`
      const result = await inSession([...inner, 'sh', '-c', look], { who, words: ['--quiet', ...outside] })
      const [right = '', ...found] = result.stdout.split('\n')
      const [address] = right.split('\t')
      expect(right).toContain(nameOf('web'))
      expect(address).not.toBe(report.servers.web?.ip)
      const reached = found.filter((line) => /^[0-9.]+ +\S/.test(line)).map((line) => line.split(' ')[0])
      expect(reached).toEqual(inside.length === 0 ? [address, address] : [])
      expect(result.stdout).not.toMatch(/^(?:http_proxy|TESTFLEET_NAMES)=/m)
    })
  }

  for (const [script, exitCode] of [
    ['exit 7', 7],
    ['kill -KILL $$', 137],
  ] as const) {
    test(`the exit code is that of the command: ${script}`, wideIf(who === 'root' || exitCode === 7), async () => {
      expect(await inSession(['sh', '-c', script], { who })).toMatchObject({ exitCode, stdout: '' })
    })
  }

  test('the command receives signals and standard input', wideIf(who === 'root'), async () => {
    const script = 'trap "echo ending; exit 5" TERM; read line; echo "waiting $line"; while :; do sleep 0.05; done'
    const running = start(['sh', '-c', script], { who, input: 'for it\n' })
    await running.waitForOutput(/^waiting for it$/m)
    running.kill('SIGTERM')
    expect(await running.result).toMatchObject({ exitCode: 5, stdout: 'waiting for it\nending\n' })
  })

  test('the command keeps its terminal and its size', wideIf(who === 'root'), async () => {
    const within = ['sh', '-c', 'exec script -qefc "stty rows 33 cols 101; $*" /dev/null', 'sh']
    const { stdout, exitCode } = await inSession(['stty', 'size'], { who, within })
    expect({ stdout, exitCode }).toEqual({ stdout: '33 101\r\n', exitCode: 0 })
  })
})

for (const who of everybody) {
  test(
    `FTP works with the exported address although its data ports are not published, as ${who}`,
    wideIf(who === 'root'),
    async () => {
      const file = join(fleet.folder, 'testfleet.json')
      const inner = `${user.command.join(' ')} join --quiet --names`
      const script = `curl -sS --max-time 60 "$FTP_URL/" && echo "$FTP_URL"
    for way in proxy none; do ${inner} $way -- printenv FTP_URL; done`
      const words = ['run', '--quiet', '--server', 'ftp', '-f', file, '--', 'sh', '-c', script]
      const prefix = [...(who === 'root' ? [] : user.prefix), ...user.command, ...words]
      const result = await startTestfleet([], { cwd: home, prefix, isBare: true, env: ownHome(who) }).result
      const published = 'ftp://127\\.0\\.0\\.1:\\d+\n'
      expect(result.stdout).toMatch(new RegExp(`^ftp://${nameOf('ftp')}:21\n${published}${published}$`))
      expect(result.exitCode).toBe(0)
    },
  )
}

/** Nothing listens there. */
const deadProxy = { http_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', NODE_USE_ENV_PROXY: '1' }

test('`run` gives names to every program that its command starts, and bypasses a proxy of the caller', async () => {
  const command = ['sh', '-c', 'sh -c "curl -sS --max-time 60 http://$TESTFLEET_WEB_HOSTNAME/"']
  const words = ['run', '--quiet', '--server', 'web', '-f', join(fleet.folder, 'testfleet.json'), '--', ...command]
  const prefix = [...user.prefix, ...user.command, ...words]
  const result = await startTestfleet([], {
    cwd: home,
    prefix,
    isBare: true,
    env: { ...ownHome('an ordinary user'), ...deadProxy, no_proxy: 'corp' },
  }).result
  expect(result).toMatchObject({ stderr: '', stdout: 'the page\n', exitCode: 0 })
})

for (const name of ['Node', 'Python']) {
  test(`${name} bypasses a proxy of the caller to reach a server of the fleet`, wideIf(name === 'Python'), async () => {
    const result = await inSession(clients[name]?.() ?? [], { env: deadProxy })
    expect(result).toMatchObject({ stderr: '', stdout: 'the page\n', exitCode: 0 })
  })
}

test('`endpoints` prints a NO_PROXY with the servers of the fleet', async () => {
  const print = async (env: Readonly<Record<string, string>>) =>
    JSON.parse((await fleet.done(['endpoints', '--format', 'json'], { env })).stdout)
  const names = `${fleet.name}.test,.${fleet.name}.test,shop.example,localhost,127.0.0.1,::1,${report.servers.web?.ip}`
  const expected = `.corp,${names}`
  expect(await print({ ...deadProxy, no_proxy: '.corp' })).toMatchObject({ NO_PROXY: expected, no_proxy: expected })
  expect(await print({ no_proxy: '.corp' })).not.toHaveProperty('no_proxy')
})

const page = (): string => `http://${nameOf('web')}/`
const incomplete = "warning: only some programs know the servers' names, because "

describe('where users may not create namespaces', () => {
  const script =
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all -- "$@"'
  const within = ['unshare', '--user', '--map-current-user', '--keep-caps', 'sh', '-c', script, 'sh']
  const why = 'this system allows users no namespaces (user.max_user_namespaces is 0)'

  for (const name of ['curl', 'curl, by an alias', 'Node', 'Python']) {
    test(`${name} still reaches a server by its name`, wideIf(name === 'Node' || name.includes('alias')), async () => {
      const result = await inSession(clients[name]?.() ?? [], { within })
      expect(result).toMatchObject({ stderr: '', stdout: 'the page\n', exitCode: 0 })
    })
  }

  test('a warning says which programs know the names', async () => {
    expect(await inSession(['true'], { within, words: [] })).toMatchObject({
      stderr: `${incomplete}${why}: Node and programs that respect HTTP_PROXY reach ${nameOf('web')} and the other servers, at all their ports; other programs need TESTFLEET_<SERVER>_HOST and _PORT\n`,
      exitCode: 0,
    })
  })

  test("the caller's own proxy is kept", async () => {
    const options = { within, words: [], env: { http_proxy: 'http://127.0.0.1:9' } }
    const result = await inSession(['sh', '-c', 'echo "$http_proxy $HTTP_PROXY $ALL_PROXY"'], options)
    expect(result.stdout).toBe('http://127.0.0.1:9  \n')
    expect(result.stderr).toContain('(a proxy for other programs would replace http_proxy); other programs need')
    expect(await inSession(clients.Node?.() ?? [], options)).toMatchObject({ stdout: 'the page\n', exitCode: 0 })
  })

  test('--names namespace is refused', async () => {
    const result = await inSession(['echo', 'it ran'], { within, words: ['--names', 'namespace'] })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(`error: \`--names namespace\` is not available here, because ${why}\n`)
  })

  test('the same happens when an attempt to create one fails', async () => {
    const bin = join(fleet.folder, 'bin')
    await mkdir(bin, { recursive: true })
    await writeFile(
      join(bin, 'unshare'),
      '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
    )
    await chmod(join(bin, 'unshare'), 0o755)
    const env = { PATH: `${bin}:${process.env.PATH}` }
    const result = await inSession(['curl', '-sS', '--max-time', '60', page()], { env, words: [] })
    expect(result).toMatchObject({ stdout: 'the page\n', exitCode: 0 })
    expect(result.stderr).toContain(
      `${incomplete}this system allows no private /etc/hosts: unshare: unshare failed: Operation not permitted: Node`,
    )
  })
})

/**
 * A machine from which the engine's networks are not to be seen, as with one that is rootless, in a virtual machine or
 * far away: only its socket and, at loopback, its published ports. All that would go elsewhere is counted.
 */
describe('where the networks of the engine cannot be reached', () => {
  const mapped = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const script = `
    ip link set lo up && ip link add far0 type veth peer name far1
    for one in far0 far1; do echo 1 > /proc/sys/net/ipv6/conf/$one/disable_ipv6; ip link set $one up; done
    ip address add 198.18.0.1/15 dev far0 && ip route add default via 198.18.0.2
    node=$1 relay=$2; shift 2
    "$node" "$relay" & relay=$!
    "$@"; code=$?
    kill $relay
    set -- $(sed -n 's/^ *far0://p' /proc/net/dev)
    echo "sent elsewhere: \${10}"
    exit $code`
  const relay = (port: number, path: string): string => `
    const net = require('node:net')
    net.createServer((client) => {
      const server = net.connect(${JSON.stringify(path)})
      client.pipe(server).pipe(client)
      for (const one of [client, server]) one.on('error', () => {})
    }).listen(${port}, '127.0.0.1')`

  /** With a way to the port that `web` publishes, as such an engine makes one. */
  async function joinFar(command: readonly string[], options: JoinOptions = {}): Promise<CommandResult> {
    const port = report.servers.web?.endpoints['80/tcp']?.port ?? 0
    const path = join(fleet.folder, 'relay.sock')
    const file = join(fleet.folder, 'relay.cjs')
    await writeFile(file, relay(port, path))
    const server = createServer((client) => {
      const published = open(port, '127.0.0.1')
      client.pipe(published).pipe(client)
      for (const one of [client, published]) one.on('error', () => {})
    })
    await once(server.listen(path), 'listening')
    try {
      const within = ['unshare', ...mapped, '--net', 'sh', '-c', script, 'sh', process.execPath, file]
      return await inSession(command, { who: 'root', within, ...options })
    } finally {
      server.close()
    }
  }

  for (const name of ['curl', 'Node', 'Python']) {
    test(
      `${name} reaches a server through its published port, and no packet leaves the machine`,
      wideIf(name === 'Python'),
      async () => {
        const result = await joinFar(clients[name]?.() ?? [], { words: [] })
        expect(result).toMatchObject({ stdout: 'the page\nsent elsewhere: 0\n', exitCode: 0 })
        expect(result.stderr).toBe(
          `${incomplete}this machine does not reach the engine's containers at their own addresses: Node and programs that respect HTTP_PROXY reach ${nameOf('web')} and the other servers, at their published ports, by the real port numbers; other programs need TESTFLEET_<SERVER>_HOST and _PORT\n`,
        )
      },
    )
  }

  test('a port that is not published is refused with the reason', wide, async () => {
    const { stdout } = await joinFar(['curl', '-sS', '--max-time', '60', `http://${nameOf('web')}:81/`])
    expect(stdout).toBe(`${nameOf('web')} publishes no port 81; \`ports\` of the fleet file can\nsent elsewhere: 0\n`)
  })
})

describe('where name services have precedence over /etc/hosts', () => {
  const script = `
    mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf && mount --bind /run "$1/run" && mount -t tmpfs tmpfs /run
    mkdir /run/nscd && echo daemon > /run/nscd/socket; shift; exec "$@"`

  test('the command still reads /etc/hosts first', everybody.includes('root') ? wide : { skip: true }, async () => {
    await mkdir(join(fleet.folder, 'run'))
    await writeFile(join(fleet.folder, 'nsswitch.conf'), 'hosts: resolve [!UNAVAIL=return] files dns\n')
    const within = ['unshare', '--mount', 'sh', '-c', script, 'sh', fleet.folder, ...user.prefix]
    const socket = await withEngine(async ({ location }) =>
      location.url.replace(/(?<=^unix:\/\/)(?:\/var)?(?=\/run\/)/, fleet.folder),
    )
    const env = { ...ownHome('an ordinary user'), DOCKER_HOST: socket }
    const command = ['sh', '-c', 'cat /etc/nsswitch.conf /run/nscd/socket; curl -sS --max-time 60 "$0"', page()]
    const result = await inSession(command, { who: 'root', within, env })
    expect(result).toMatchObject({ stdout: 'hosts: files resolve [!UNAVAIL=return] dns\nthe page\n', exitCode: 0 })
  })
})

describe('testfleet hosts', () => {
  test('prints lines for /etc/hosts', async () => {
    const { stdout } = await fleet.done(['hosts'])
    const { web } = report.servers
    expect(stdout).toBe(
      `# testfleet session ${fleet.name}\n` +
        '# The real ports answer at these addresses. They hold until the session ends, or a server is replaced or started again.\n' +
        `${web?.ip}\t${nameOf('web')} shop.example ${nameOf('localhost')}\n`,
    )
  })

  test('prints the same names as JSON', wide, async () => {
    const { web } = report.servers
    expect(await fleet.json<object>(['hosts'])).toMatchObject({
      session: fleet.name,
      hosts: [{ address: web?.ip, names: [nameOf('web'), 'shop.example', nameOf('localhost')] }],
      servers: {
        web: {
          names: [nameOf('web'), 'shop.example', 'localhost', nameOf('localhost')],
          address: web?.ip,
          endpoints: web?.endpoints,
        },
      },
    })
  })
})

describe('clients of other protocols', () => {
  beforeAll(() => fleet.done(['up', 'db', 'shell'], { timeoutMs: 9 * 60_000 }))
  // Tests in any order find the session with `web` alone.
  afterAll(() => fleet.done(['rm', 'db', 'shell']))

  const others: Readonly<Record<string, () => readonly string[]>> = {
    'psql reaches a server without published ports': () => [
      'psql',
      '-h',
      nameOf('db'),
      '-U',
      'postgres',
      '-Atc',
      "SELECT 'the page'",
    ],
    'ssh reaches a server': () => [
      'ssh',
      ...['-i', 'key', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
      ...['-o', 'LogLevel=ERROR', `root@${nameOf('shell')}`, 'echo the page'],
    ],
  }
  for (const who of everybody) {
    test.each(Object.keys(others))(`%s by its name, as ${who}`, wide, async (name) => {
      const result = await inSession(others[name]?.() ?? [], { who })
      expect(result).toMatchObject({ stderr: '', stdout: 'the page\n', exitCode: 0 })
    })
  }
})
