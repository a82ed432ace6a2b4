import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { auditIn } from '../../tests/support/audit-in.ts'
import type { Audit } from './audit.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'))
})

afterEach(() => rm(folder, { recursive: true }))

function audit(files: Readonly<Record<string, string>>): Promise<Audit> {
  return auditIn(folder, files)
}

/** `line:column id server`, in their order. */
function shown({ findings }: Pick<Audit, 'findings'>, ...ids: readonly string[]): string[] {
  return findings
    .filter(({ id }) => ids.includes(id))
    .map(({ file, line, column, id, server }) => `${file}:${line}:${column} ${id} ${server ?? '-'}`)
}

const token = `glpat-${'a1B2c3D4e5'.repeat(2)}`

describe('findings and their positions', () => {
  test('the worst finding comes first, then the order of the fleet file', async () => {
    const found = await audit({
      'testfleet.yaml': `servers:
  a:
    image: nginx
    ports: [{ container: 80, address: 0.0.0.0 }]
  b:
    image: nginx
    unsafe:
      privileged: true
`,
    })
    expect(shown(found, 'image-not-pinned', 'port-off-loopback', 'privileged')).toEqual([
      'testfleet.yaml:8:19 privileged b',
      'testfleet.yaml:4:13 port-off-loopback a',
      'testfleet.yaml:3:12 image-not-pinned a',
      'testfleet.yaml:6:12 image-not-pinned b',
    ])
  })

  test('a finding that servers share is reported once, without a server', async () => {
    const found = await audit({
      'testfleet.yaml': `base:
  from: debian
  run: ["curl https://a.example | sh"]
servers:
  a: { build: { run: [x] } }
  b: { build: {} }
  c: { build: { from: "ubuntu:latest" } }
`,
    })
    expect(shown(found, 'image-not-pinned', 'pipe-to-shell')).toEqual([
      'testfleet.yaml:3:9 pipe-to-shell -',
      'testfleet.yaml:2:9 image-not-pinned -',
      'testfleet.yaml:7:23 image-not-pinned c',
    ])
  })

  test('a finding about the default base is reported once, at `servers`', async () => {
    const found = await audit({ 'testfleet.yaml': 'servers: { a: { build: {} }, b: { build: { run: [x] } } }\n' })
    expect(shown(found, 'image-without-digest')).toEqual(['testfleet.yaml:1:1 image-without-digest -'])
  })

  test('a finding in a Dockerfile has its line there, and is reported once for two servers', async () => {
    const found = await audit({
      'testfleet.yaml':
        'servers: { a: { build: { dockerfile: x/Dockerfile } }, b: { build: { dockerfile: x/Dockerfile } } }\n',
      'x/Dockerfile': 'FROM debian\n# a comment\nRUN true && \\\n  chmod 777 /x\n',
    })
    expect(shown(found, 'image-not-pinned', 'chmod-world-writable')).toHaveLength(2)
    expect(shown(found, 'image-not-pinned', 'chmod-world-writable').join()).toMatch(
      /^x\/Dockerfile:1:1 image-not-pinned \w,x\/Dockerfile:3:1 chmod-world-writable \w$/,
    )
  })

  test('findings in a fleet that is a module have a file but no line', async () => {
    const found = await audit({
      'testfleet.mjs': 'export default { servers: { a: { image: "nginx" }, b: { image: "nginx" } } }\n',
    })
    expect(shown(found, 'image-not-pinned')).toEqual([
      'testfleet.mjs:undefined:undefined image-not-pinned a',
      'testfleet.mjs:undefined:undefined image-not-pinned b',
    ])
  })
})

describe('the files that the audit reads', () => {
  const copying = (keys = ''): string => `servers: { a: { build: { copy: [{ from: files, to: /a${keys} }] } } }\n`

  test('a file of more than 1 MB or without text is judged only by its name', async () => {
    const found = await audit({
      'testfleet.yaml': copying(),
      'files/large': `${token}${'x'.repeat(1024 * 1024)}`,
      'files/binary': `\0${token}`,
      'files/.env': token,
    })
    expect(found.findings.filter(({ id }) => id.endsWith('copied-file')).map(({ message }) => message)).toEqual([
      'files/.env contains a token of GitLab',
    ])
    expect(shown(found, 'sensitive-file-copied')).toHaveLength(1)
  })

  test('files after the 500th are judged only by their names', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `files/${String(index).padStart(3, '0')}`)
    const found = await audit({
      'testfleet.yaml': copying(),
      ...Object.fromEntries(names.map((name) => [name, ''])),
      'files/499': token,
      'files/500/.npmrc': token,
    })
    expect(shown(found, 'secret-in-copied-file')).toHaveLength(1)
    expect(shown(found, 'sensitive-file-copied')).toHaveLength(1)
  })

  test('files that the `ignore` of a copy excludes are not read', async () => {
    const build = 'build: { copy: [{ from: files, to: /x, ignore: [a, "*.txt", "!b.txt"] }] }'
    const found = await audit({
      'testfleet.yaml': `servers:\n  web:\n    ${build}\n`,
      ...{ 'files/a/.env': token, 'files/c.txt': token, 'files/b.txt': token },
    })
    expect(found.findings.filter(({ id }) => id.endsWith('copied-file')).map(({ message }) => message)).toEqual([
      'files/b.txt contains a token of GitLab',
    ])
  })

  test('a link that leads out of the copied folder is not followed', async () => {
    await mkdir(join(folder, 'files'))
    await writeFile(join(folder, 'outside'), token)
    await symlink(join(folder, 'outside'), join(folder, 'files/link'))
    expect(shown(await audit({ 'testfleet.yaml': copying() }), 'secret-in-copied-file')).toEqual([])
  })

  // A pattern whose work grows with the square of the text takes a quarter of a minute here.
  test('text that is designed to be slow takes no longer than any other', { timeout: 60_000 }, async () => {
    const texts = ['a'.repeat(900_000), 'eyJ'.repeat(300_000), 'x:/'.repeat(300_000), '-----BEGIN '.repeat(80_000)]
    const long = ['a', '|', ' ', '\n', '-a ', '/', 'curl ', '=', 'deb [', 'chmod -'].map((part) => part.repeat(20_000))
    const slow = { a: { build: { copy: [{ from: 'files', to: '/a' }], run: long }, environment: { A: long[0] } } }
    const lines = long.map((text) => `RUN ${text}\nENV ${text.replaceAll('\n', ' ')}\n`)
    const before = process.threadCpuUsage()
    await audit({
      'testfleet.json': JSON.stringify({ servers: { ...slow, b: { build: { dockerfile: 'Dockerfile' } } } }),
      Dockerfile: lines.join(''),
      ...Object.fromEntries(texts.map((text, index) => [`files/${index}`, text])),
    })
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(5000)
  })
})

describe('accepted findings', () => {
  const fleet = (top: string, own: string): string => `ignore: ${top}
servers:
  a: { image: nginx, ignore: ${own} }
  b: { image: nginx }
`

  test('an entry of a server accepts the finding for this server, with its own reason', async () => {
    const found = await audit({
      'testfleet.yaml': fleet('[]', '[{ id: image-not-pinned, reason: the newest is tested }]'),
    })
    expect(shown(found, 'image-not-pinned')).toEqual(['testfleet.yaml:4:15 image-not-pinned b'])
    expect(found.ignored).toMatchObject([{ id: 'image-not-pinned', server: 'a', reason: 'the newest is tested' }])
  })

  test('an entry at the top accepts the finding for all servers, and an entry of a server takes precedence', async () => {
    const found = await audit({
      'testfleet.yaml': fleet(
        '[{ id: image-not-pinned, reason: in all of them }]',
        '[{ id: image-not-pinned, reason: in this one }]',
      ),
    })
    expect(shown(found, 'image-not-pinned', 'ignore-unused')).toEqual([])
    expect(found.ignored.map(({ reason }) => reason)).toEqual(['in this one', 'in all of them'])
  })

  test('an entry without a finding is reported as unused', async () => {
    const found = await audit({
      'testfleet.yaml': fleet(
        '[{ id: privileged, reason: it was so once }]',
        '[{ id: engine-socket, reason: it was so once }]',
      ),
    })
    expect(shown(found, 'ignore-unused')).toEqual([
      'testfleet.yaml:1:10 ignore-unused -',
      'testfleet.yaml:3:31 ignore-unused a',
    ])
  })
})

describe('findings about presets', () => {
  const three = `servers:
  cache: { preset: redis }
  files: { preset: vsftpd, build: { packages: [file] } }
  dns: { preset: dnsmasq }
`

  test('packages of presets are reported once, and packages of the user separately', async () => {
    const found = await audit({ 'testfleet.yaml': three })
    expect(shown(found, 'packages-not-pinned')).toEqual([
      'testfleet.yaml:2:20 packages-not-pinned -',
      'testfleet.yaml:3:47 packages-not-pinned files',
    ])
    const messages = found.findings.filter(({ id }) => id === 'packages-not-pinned').map(({ message }) => message)
    expect(messages).toEqual([
      'the presets of cache, files, dns install packages in any version',
      'file in any version',
    ])
  })

  test('packages are pinned by their versions in the fleet file', async () => {
    const pinned = three.replace('preset: redis', 'preset: redis, build: { packages: [redis-server=5:7.0.15-1] }')
    const found = await audit({ 'testfleet.yaml': pinned })
    expect(found.findings.find(({ id, server }) => id === 'packages-not-pinned' && server === undefined)?.message).toBe(
      'the presets of files, dns install packages in any version',
    )
  })

  test('packages can be accepted for one server', async () => {
    const accepted = three.replace(
      'preset: redis',
      'preset: redis, ignore: [{ id: packages-not-pinned, reason: any version will do }]',
    )
    const found = await audit({ 'testfleet.yaml': accepted })
    expect(found.ignored).toMatchObject([{ id: 'packages-not-pinned', server: 'cache' }, { id: 'runs-as-root' }])
    expect(shown(found, 'packages-not-pinned', 'ignore-unused')).toEqual([
      'testfleet.yaml:3:20 packages-not-pinned -',
      'testfleet.yaml:3:47 packages-not-pinned files',
    ])
  })

  test("an entry about packages of presets never counts as unused, and one about the user's own packages can", async () => {
    const preset = (ignore: string): string => `description: d\nserver: { image: debian, ignore: ${ignore} }\n`
    const unused = '[{ id: privileged, reason: it can be so }]'
    const found = await audit({
      'testfleet.yaml': `servers:\n  a: { preset: ./own }\n  b: { preset: ./own, ignore: ${unused} }\n`,
      'own/preset.yaml': preset(unused),
    })
    expect(shown(found, 'ignore-unused')).toEqual(['testfleet.yaml:3:32 ignore-unused b'])
  })

  test.each([
    ['preset: vsftpd', ['data ports not published under their own numbers: 10 of 30000 to 30009']],
    [
      'preset: vsftpd, options: { passivePorts: 2 }, ports: [{ container: 30000, host: 30000 }, { container: 30001, host: 40001 }]',
      ['data ports not published under their own numbers: 1 of 30000 to 30001'],
    ],
    ['preset: vsftpd, options: { passivePorts: 2 }, ports: [{ container: 30000-30001, host: 30000-30001 }]', []],
    ['preset: ftp-proxy, ports: [{ container: 30100-30109, host: 30100-30109 }]', []],
    ['preset: vsftpd, ports: []', []],
  ])('data ports of FTP are reported unless they are published under their own numbers: %s', async (keys, messages) => {
    const { findings } = await audit({ 'testfleet.yaml': `servers:\n  a: { ${keys} }\n` })
    const found = findings.filter(({ id }) => id === 'ftp-data-ports-not-published')
    expect(found.map(({ message }) => message)).toEqual(messages)
  })

  test('`user` of the fleet file counts as a decision of its user', async () => {
    const found = await audit({
      'testfleet.yaml': 'servers:\n  a: { preset: dnsmasq, user: root, capAdd: [SETUID] }\n',
    })
    expect(shown(found, 'runs-as-root')).toEqual(['testfleet.yaml:2:31 runs-as-root a'])
    expect(found.findings.find(({ id }) => id === 'runs-as-root')?.message).toBe('it runs as root and has SETUID')
  })
})

test('no message contains a secret', async () => {
  const secret = 'hunter2-of-alice'
  const found = await audit({
    'testfleet.yaml': `servers:
  a:
    build:
      environment: { A_PASSWORD: ${secret} }
      run: ["export A_TOKEN=${secret}", "echo 'alice:${secret}' | chpasswd"]
    environment: { A_PASSWORD: ${secret}, B: "http://alice:${secret}@b/" }
    labels: { a-secret: ${secret} }
    command: [x, --password=${secret}, --token, ${secret}]
    export: { A_TOKEN: ${secret} }
`,
  })
  const told = found.findings.filter(({ id }) => /secret|password/.test(id))
  expect(told.length).toBeGreaterThanOrEqual(9)
  expect(JSON.stringify(found)).not.toContain('hunter2')
})
