import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { countLeftovers, removeFleetFolders } from '../support/command.ts'
import { containersOf, inspect, makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
const idle = ['sleep', '600']
const fleets: StoryFleet[] = []

async function open(servers: Servers, files: Record<string, string> = {}): Promise<StoryFleet> {
  const fleet = await makeFleet(servers, files)
  fleets.push(fleet)
  return fleet
}

// Not after each: many are at work side by side.
afterAll(async () => {
  for (const fleet of fleets.splice(0)) {
    await fleet.cleanUp()
    expect(await countLeftovers(fleet.name)).toBe(0)
  }
  await removeFleetFolders()
})

/** What a shell in a server prints. */
function shell(fleet: StoryFleet, server: string, text: string): Promise<string> {
  return fleet.exec(server, 'sh', '-c', text)
}

/** By their numbers in capabilities(7). */
const capability = {
  CHOWN: 1n << 0n,
  SETPCAP: 1n << 8n,
  NET_ADMIN: 1n << 12n,
  NET_RAW: 1n << 13n,
  SYS_TIME: 1n << 25n,
  MKNOD: 1n << 27n,
  AUDIT_WRITE: 1n << 29n,
  SETFCAP: 1n << 31n,
}

async function capabilitiesOf(fleet: StoryFleet, server: string): Promise<bigint> {
  return BigInt(`0x${/CapEff:\s*(\w+)/.exec(await shell(fleet, server, 'cat /proc/1/status'))?.[1]}`)
}

async function logOf(fleet: StoryFleet, server: string): Promise<string[]> {
  const { stdout } = await fleet.done(['logs', server])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(`${server} | `.length))
}

describe.concurrent('the process of a server', () => {
  test('has the command, entrypoint, user, folder, environment, init, labels and platform of the fleet file', async () => {
    const show = 'echo "$0|$1|$2"; pwd; id -u; id -g; env; tr "\\0" " " < /proc/1/cmdline; echo'
    const fleet = await open({
      one: {
        image,
        platform: 'linux/amd64',
        entrypoint: ['sh', '-c', `${show}; exec sleep 600`, 'name'],
        command: ['two words', '$HOME'],
        user: '1234:5678',
        workingDir: '/var/tmp',
        init: true,
        environment: {
          TEXT: `it's "so" $HOME \\ `,
          NUMBER: 12,
          FLAG: true,
          EMPTY: '',
          FROM_HERE: { env: 'GIVEN_HERE' },
          FROM_SECRET: { secret: 'TOKEN' },
        },
        secrets: { TOKEN: { generate: 20 } },
        labels: { 'com.example.team': 'größe $x', number: 7 },
        ready: [{ log: 'sleep' }],
      },
    })
    await fleet.done(['up'], { env: { GIVEN_HERE: 'from = outside', NOT_GIVEN: 'x' } })
    const lines = await logOf(fleet, 'one')
    expect(lines.slice(0, 4)).toEqual(['name|two words|$HOME', '/var/tmp', '1234', '5678'])
    expect(lines).toEqual(
      expect.arrayContaining([
        `TEXT=it's "so" $HOME \\ `,
        'NUMBER=12',
        'FLAG=true',
        'EMPTY=',
        'FROM_HERE=from = outside',
      ]),
    )
    const token = await shell(fleet, 'one', 'cat /run/secrets/TOKEN')
    expect(token).toMatch(/^[A-Za-z0-9]{20}$/)
    expect(lines).toContain(`FROM_SECRET=${token}`)
    expect(lines.join('\n')).not.toContain('NOT_GIVEN')
    expect(lines.at(-1)).toMatch(/^\S*init /)
    const { Config } = await inspect(containersOf(await fleet.report()).one ?? '')
    expect(Config.Labels).toMatchObject({ 'com.example.team': 'größe $x', number: '7', 'dev.testfleet.server': 'one' })
  })

  test('has those of the image where the fleet file says nothing', wide, async () => {
    const fleet = await open(
      { one: { build: { dockerfile: 'Dockerfile' } } },
      {
        Dockerfile: [
          `FROM ${image}`,
          'ENV LEVEL=3',
          'WORKDIR /srv',
          'USER nobody',
          'ENTRYPOINT ["sh", "-c", "pwd; id -un; echo $LEVEL; exec \\"$@\\"", "sh"]',
          'CMD ["sleep", "600"]',
        ].join('\n'),
      },
    )
    await fleet.done(['up'])
    expect(await logOf(fleet, 'one')).toEqual(['/srv', 'nobody', '3'])
  })
})

describe.concurrent('the rights of a server', () => {
  test('are the limits, ulimits, sysctls and capabilities of the fleet file, without new privileges', async () => {
    const fleet = await open({
      one: {
        image,
        command: ['sh', '-c', 'ulimit -Sn; ulimit -Hn; ulimit -c; exec sleep 600'],
        limits: { memory: '64m', cpus: 0.5, pids: 50 },
        ulimits: { nofile: { soft: 1000, hard: 2000 }, core: 0 },
        sysctls: { 'net.core.somaxconn': 1234, 'net.ipv4.ip_unprivileged_port_start': '0' },
        capAdd: ['CAP_NET_ADMIN', 'SYS_TIME'],
      },
      two: { image, command: idle },
    })
    const report = await fleet.json(['up'])
    const { HostConfig } = await inspect(containersOf(report).one ?? '')
    expect(HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, NanoCpus: 500_000_000, PidsLimit: 50 })
    expect(await logOf(fleet, 'one')).toEqual(['1000', '2000', '0'])
    expect(
      await shell(fleet, 'one', 'cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_unprivileged_port_start'),
    ).toBe('1234\n0\n')
    const added = (await capabilitiesOf(fleet, 'one')) & ~(await capabilitiesOf(fleet, 'two'))
    expect(added).toBe(capability.NET_ADMIN | capability.SYS_TIME)
    for (const server of ['one', 'two']) {
      expect(await shell(fleet, server, 'cat /proc/1/status')).toMatch(/^NoNewPrivs:\s*1$/m)
    }
  })

  test('are few by default, and follow capAdd and capDrop', async () => {
    const fleet = await open({
      default: { image, command: idle },
      none: { image, command: idle, capDrop: ['ALL'] },
      two: { image, command: idle, capDrop: ['ALL'], capAdd: ['CHOWN', 'NET_RAW'] },
      back: { image, command: idle, capAdd: ['NET_RAW'] },
      listed: { image, command: idle, capDrop: ['CAP_CHOWN'] },
    })
    const report = await fleet.json(['up'])
    const { HostConfig } = await inspect(containersOf(report).default ?? '')
    expect(HostConfig).toMatchObject({ PidsLimit: 4096, Privileged: false, SecurityOpt: ['no-new-privileges'] })
    const { CHOWN, NET_RAW, MKNOD, AUDIT_WRITE, SETFCAP, SETPCAP } = capability
    const dropped = NET_RAW | MKNOD | AUDIT_WRITE | SETFCAP | SETPCAP
    const usual = await capabilitiesOf(fleet, 'default')
    expect(usual & CHOWN).toBe(CHOWN)
    expect(usual & dropped).toBe(0n)
    expect(await capabilitiesOf(fleet, 'none')).toBe(0n)
    expect(await capabilitiesOf(fleet, 'two')).toBe(CHOWN | NET_RAW)
    expect(await capabilitiesOf(fleet, 'back')).toBe(usual | NET_RAW)
    expect(await capabilitiesOf(fleet, 'listed')).toBe((usual | dropped) & ~CHOWN)
  })

  test('are extended only by `unsafe`, key by key', wide, async () => {
    const fleet = await open({
      gaining: { image, command: idle, unsafe: { newPrivileges: true } },
      socket: { image, command: idle, unsafe: { engineSocket: true } },
    })
    await fleet.done(['up'])
    expect(await shell(fleet, 'gaining', 'cat /proc/1/status')).toMatch(/^NoNewPrivs:\s*0$/m)
    expect(await shell(fleet, 'socket', 'test -S /var/run/docker.sock && echo "it is there"')).toBe('it is there\n')
    expect(await shell(fleet, 'gaining', 'test -e /var/run/docker.sock || echo "not there"')).toBe('not there\n')
    expect(await shell(fleet, 'socket', 'cat /proc/1/status')).toMatch(/^NoNewPrivs:\s*1$/m)
  })
})

test.concurrent('the error of a server that lacks a capability names the capability', async () => {
  const fleet = await open({
    web: { image, command: ['chown', 'nobody', '/etc/hostname'], ready: [{ exit: 0 }], capDrop: ['ALL'] },
  })
  const { stderr, exitCode } = await fleet.call(['up'])
  expect(stderr).toContain("chown: changing ownership of '/etc/hostname': Operation not permitted")
  expect(stderr).toContain('hint: It lacks a capability: add `capAdd: [CHOWN]` to web.\n')
  expect(exitCode).toBe(1)
})

describe.concurrent('the files of a server', () => {
  test('are mounted read-only unless they are writable, and down removes volumes but no files of this machine', async () => {
    const fleet = await open(
      {
        one: {
          image,
          command: idle,
          mounts: [
            { from: 'conf/app.conf', to: '/etc/app.conf' },
            { from: 'conf', to: '/conf with space' },
            { from: 'results', to: '/results', writable: true },
            { volume: 'shared', to: '/shared', writable: true },
          ],
        },
        two: { image, command: idle, mounts: [{ volume: 'shared', to: '/also' }], dependsOn: ['one'] },
      },
      { 'conf/app.conf': 'a = 1\n', 'results/old': '' },
    )
    await fleet.done(['up'])
    expect(await shell(fleet, 'one', 'cat /etc/app.conf "/conf with space/app.conf"')).toBe('a = 1\na = 1\n')
    for (const path of ['/etc/app.conf', '"/conf with space/new"']) {
      expect(await shell(fleet, 'one', `echo x > ${path} || echo "it cannot"`)).toBe('it cannot\n')
    }
    await shell(fleet, 'one', 'echo result > /results/new; echo from one > /shared/file')
    expect(await readFile(join(fleet.folder, 'results/new'), 'utf8')).toBe('result\n')
    expect(await shell(fleet, 'two', 'cat /also/file; echo x >> /also/file || echo "it cannot"')).toBe(
      'from one\nit cannot\n',
    )
    // A volume outlives its servers, and not its session.
    await fleet.done(['rm', 'one', 'two'])
    await fleet.done(['up'])
    expect(await shell(fleet, 'two', 'cat /also/file')).toBe('from one\n')
    expect((await fleet.done(['down'])).stdout).toBe(`session ${fleet.name}: removed 2 servers, 1 network, 1 volume\n`)
    await fleet.done(['up'])
    expect(await shell(fleet, 'two', 'ls -A /also')).toBe('')
    expect((await stat(join(fleet.folder, 'results/new'))).isFile()).toBe(true)
  })

  test('in a tmpfs have the size, mode and owner of the fleet file, and a read-only root cannot be written', async () => {
    const fleet = await open({
      one: {
        image,
        command: idle,
        user: '1000:1000',
        readOnly: true,
        tmpfs: ['/run', { to: '/cache', size: '1m', mode: '0750', uid: 1000, gid: 1001 }],
      },
      two: { image, command: idle },
    })
    await fleet.done(['up'])
    expect(await shell(fleet, 'one', 'stat -c "%a %u %g" /cache')).toBe('750 1000 1001\n')
    const mounted = await shell(fleet, 'one', 'cat /proc/mounts')
    expect(mounted).toMatch(/^tmpfs \/cache tmpfs \S*size=1024k/m)
    expect(mounted).toMatch(/^tmpfs \/run tmpfs /m)
    expect(await shell(fleet, 'one', 'echo x > /cache/x && cat /cache/x')).toBe('x\n')
    expect(
      await shell(fleet, 'one', 'rm /cache/x; head -c 2000000 /dev/zero > /cache/big || stat -c %s /cache/big'),
    ).toBe('1048576\n')
    expect(await shell(fleet, 'one', 'touch /var/tmp/x || echo "it cannot"')).toBe('it cannot\n')
    expect(await shell(fleet, 'two', 'touch /var/tmp/x /x && echo "it can"')).toBe('it can\n')
  })
})

describe.concurrent('the end of a server', () => {
  const trap = (word: string) => [
    'sh',
    '-c',
    `trap 'echo ${word} > /out/${word}; exit 0' USR1 TERM; echo up; while :; do sleep 0.1; done`,
  ]
  const mounts = [{ from: 'out', to: '/out', writable: true }]

  test('starts with its stopSignal, or comes at once without one', async () => {
    const fleet = await open(
      {
        asks: { image, command: trap('asked'), stopSignal: 'SIGUSR1', mounts, ready: [{ log: 'up' }] },
        other: { image, command: trap('other'), mounts, ready: [{ log: 'up' }] },
      },
      { 'out/.keep': '' },
    )
    await fleet.done(['up'])
    await fleet.done(['down'])
    expect(await readFile(join(fleet.folder, 'out/asked'), 'utf8')).toBe('asked\n')
    await expect(stat(join(fleet.folder, 'out/other'))).rejects.toThrow('ENOENT')
  })
})
