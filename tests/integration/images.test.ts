import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packArchive } from '../../src/files/archive.ts'
import { readImage } from '../../src/images/record-packages.ts'
import type { FleetEvent } from '../../src/model/events.ts'
import { label } from '../../src/model/labels.ts'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { builtFor, type ImageHarness, openImageHarness } from '../support/image-harness.ts'
import { layersOf } from '../support/raw-engine.ts'
import { wide } from '../support/tiers.ts'

let images: ImageHarness

beforeAll(async () => {
  images = await openImageHarness()
})

afterAll(async () => {
  await images.close()
  await removeFleetFolders()
})

/** All that is below a folder of a container, by its path: what it is, its mode and owner, and what it holds. */
async function listTree(id: string, folder: string): Promise<Record<string, string>> {
  const text = await images.shell(id, `perl -e '${walk}' ${folder}`)
  const entries = text.split('\0').filter((entry) => entry !== '')
  return Object.fromEntries(entries.map((entry) => entry.split('\t\t') as [string, string]))
}

/** `path TAB TAB kind mode owner:group content`, each with a NUL at its end; content is a digest, or where a link leads. */
const walk = `
use File::Find; use Digest::SHA;
my ($top) = @ARGV;
find({ no_chdir => 1, wanted => sub {
  my $path = $File::Find::name; my @stat = lstat $path;
  my $kind = -l _ ? "link" : -d _ ? "folder" : "file";
  my $content = $kind eq "link" ? readlink $path : $kind eq "file" ? Digest::SHA->new(256)->addfile($path, "b")->hexdigest : "";
  my $mode = $kind eq "link" ? "-" : sprintf "%04o", $stat[2] & 07777;
  print substr($path, length $top), "\\t\\t", join(" ", $kind, $mode, "$stat[4]:$stat[5]", $content), "\\0";
} }, $top);
`.replaceAll('\n', ' ')

function file(content: string | Uint8Array, mode = '0644', owner = '0:0'): string {
  return `file ${mode} ${owner} ${createHash('sha256').update(content).digest('hex')}`
}

const names = [
  'plain',
  'two words',
  ' before and after ',
  "it's",
  '"quoted"',
  '$HOME',
  '${HOME}',
  '$(id)',
  '`id`',
  'back\\slash',
  'end\\',
  'ünïcödé',
  '日本語',
  '😀',
  '.hidden',
  '-rf',
  '--chown=1',
  '*',
  'a?c[d]',
  '#comment',
  '!bang',
  '~',
  'a;b&c|d',
  '<<EOF',
  '%41',
  'a:b',
  '{{.Name}}',
  '[x]',
  'x'.repeat(255),
  'é'.repeat(127),
]

describe('a copied file or folder', () => {
  const big = randomBytes(20 * 1024 * 1024)
  const texts = { crlf: 'one\r\ntwo\r\n', spaces: 'end   \n\t\n  ', bare: 'no newline', empty: '', nul: 'a\0b\xff' }
  const depth = Array.from({ length: 40 }, (_, index) => `folder-${index}`).join('/')
  let id: string
  let folder: string

  beforeAll(async () => {
    folder = await makeFleetFolder({
      ...Object.fromEntries(names.map((name) => [`names/${name}`, name])),
      ...Object.fromEntries(
        Object.entries(texts).map(([name, text]) => [`texts/${name}`, Buffer.from(text, 'latin1')]),
      ),
      'tree/run.sh': '#!/bin/sh\n',
      'tree/data': 'data',
      [`tree/${depth}/leaf`]: 'leaf',
      'other/far': 'far away',
      big,
    })
    await mkdir(join(folder, 'tree/empty'))
    await chmod(join(folder, 'tree/run.sh'), 0o775)
    await chmod(join(folder, 'tree/data'), 0o660)
    await symlink('data', join(folder, 'tree/near-link'))
    await symlink('../other/far', join(folder, 'tree/far-link'))
    await symlink(join(folder, 'other/far'), join(folder, 'tree/absolute-link'))
    const copy = [
      { from: 'names', to: '/all-names' },
      ...names.map((name) => ({ from: `names/${name}`, to: '/one-by-one/' })),
      ...names.map((name) => ({ content: name, to: `/by-target/${name}` })),
      { from: 'texts', to: '/texts' },
      { from: 'tree', to: '/tree' },
      { from: 'tree', to: '/private', mode: '0640', owner: 'www-data:adm' },
      { from: 'tree/data', to: '/modes/tool', mode: '4755', owner: '1234' },
      { from: 'tree/data', to: '/modes/', mode: '0600', owner: '1234:5678' },
      { content: 'größe\n', to: '/modes/text' },
      { from: 'tree/near-link', to: '/modes/from-link' },
      { from: 'big', to: '/big' },
    ]
    const built = await images.build({ servers: { copies: { build: { copy } } } }, folder)
    id = await images.harness.start({ image: built.get('copies')?.reference ?? '' })
  })

  test('keeps any name, inside a folder, by itself, and as a target', async () => {
    const expected = Object.fromEntries(names.map((name) => [`/${name}`, file(name)]))
    for (const folder of ['/all-names', '/one-by-one', '/by-target']) {
      const { '': top, ...found } = await listTree(id, folder)
      expect(found).toEqual(expected)
      expect(top).toBe('folder 0755 0:0 ')
    }
  })

  test('keeps its bytes, up to 20 MB, and its line ends', async () => {
    expect(await images.shell(id, 'sha256sum < /big')).toBe(`${createHash('sha256').update(big).digest('hex')}  -\n`)
    const { '': _, ...found } = await listTree(id, '/texts')
    const expected = Object.entries(texts).map(([name, text]) => [`/${name}`, file(Buffer.from(text, 'latin1'))])
    expect(found).toEqual(Object.fromEntries(expected))
  })

  test('keeps its mode except write permission for others, and belongs to root', async () => {
    const tree = await listTree(id, '/tree')
    expect(tree).toMatchObject({
      '': 'folder 0755 0:0 ',
      '/run.sh': file('#!/bin/sh\n', '0755'),
      '/data': file('data', '0640'),
      '/empty': 'folder 0755 0:0 ',
      '/near-link': 'link - 0:0 data',
      '/far-link': 'link - 0:0 ../other/far',
      '/absolute-link': `link - 0:0 ${folder}/other/far`,
      [`/${depth}/leaf`]: file('leaf'),
    })
    expect(Object.keys(tree)).toHaveLength(7 + 40 + 1)
  })

  test('has the mode and owner of the fleet file', async () => {
    // www-data is 33, adm is 4. Who may read a file of the folder may enter it.
    expect(await listTree(id, '/private')).toMatchObject({
      '': 'folder 0750 33:4 ',
      '/run.sh': file('#!/bin/sh\n', '0640', '33:4'),
      '/empty': 'folder 0750 33:4 ',
      '/near-link': 'link - 33:4 data',
      [`/${depth}/leaf`]: file('leaf', '0640', '33:4'),
    })
    expect(await listTree(id, '/modes')).toEqual({
      // Made for the first that came.
      '': 'folder 0755 1234:1234 ',
      '/tool': file('data', '4755', '1234:1234'),
      '/data': file('data', '0600', '1234:5678'),
      '/text': file('größe\n'),
      '/from-link': file('data', '0640'),
    })
  })

  test('is placed in an existing folder, which keeps its mode and its other files', async () => {
    const copy = ['/etc', '/root', '/tmp'].map((to) => ({ from: 'site', to }))
    const over = await images.start({ copy }, { 'site/x': 'x' })
    const fresh = await images.harness.start()
    const look = 'stat -c "%n %a" /tmp /etc /root; test -s /etc/passwd; test -s /root/.profile'
    expect(await images.shell(over, `${look}; cat /etc/x /root/x /tmp/x`)).toBe(`${await images.shell(fresh, look)}xxx`)
  })
})

describe('a line of `run`', () => {
  const scripts = [
    'echo one > /out/plain',
    String.raw`printf '%s\n' "a  b" 'c"d' e\ f $HOME "\$HOME" \\ > /out/quotes`,
    'cat > /out/heredoc <<EOF\n$((1 + 2)) `echo x` "q" \\$y \\\\\n\ttab\nEOF',
    'cat > /out/literal <<\'EOF\'\n$((1 + 2)) `echo x` "q" \\$y \\\\\nRUN false\nEOF',
    'cat > /out/dash <<-EOF\n\tindented\n\tEOF',
    '# a comment\necho after > /out/comment # and one more',
    'echo one \\\n  two > /out/continued',
    '  echo led by spaces > /out/spaces  ',
    '[ -d /out ] && echo bracket > /out/bracket',
    'printf "größe 日本 \u{1f600}\t|" > /out/unicode',
    'echo "${UNSET:-default}" "$LEVEL" "${LEVEL%2}" > /out/variables',
    'echo a; echo b > /out/lines\necho c >> /out/lines\n\necho d >> /out/lines',
    'if true; then\n  echo yes > /out/if\nfi',
    'for x in 1 2 3; do echo "$x"; done | tac > /out/pipe',
    'set -- --mount=type=cache "{}" \'["a"]\'; echo "$@" > /out/arguments',
    "echo '\\n' > /out/backslash; echo 'carriage\rreturn' >> /out/backslash",
  ]

  test('has the same effect as in a shell', async () => {
    const run = ['mkdir /out', ...scripts]
    const built = await images.start({ environment: { LEVEL: '12' }, run })
    const plain = await images.harness.start({ environment: { LEVEL: '12' } })
    for (const script of run) {
      const { exitCode, stderr } = await images.harness.shell(plain, '', { command: ['sh', '-ec', script] })
      expect({ script, exitCode, stderr }).toEqual({ script, exitCode: 0, stderr: '' })
    }
    const tree = await listTree(plain, '/out')
    expect(Object.keys(tree)).toHaveLength(scripts.length + 1)
    expect(await listTree(built, '/out')).toEqual(tree)
  })

  test('stops at the first command that fails', async () => {
    const folder = await makeFleetFolder({})
    const failing = images.build({ servers: { one: { build: { run: ['false\necho not reached'] } } } }, folder)
    await expect(failing).rejects.toMatchObject({ code: 'BUILD_FAILED' })
  })
})

test('the variables of a build keep any value, in lines of `run` and in the server', async () => {
  const environment = {
    QUOTES: `it's "so"`,
    DOLLAR: '$HOME ${HOME} $$',
    BACKSLASH: 'a\\b \\',
    SPACES: '  two  \t ',
    HASH: '# no comment',
    EQUALS: 'a=b=c',
    EMPTY: '',
    UNICODE: 'größe 日本',
    NUMBER: 12,
    FLAG: true,
  }
  const keys = Object.keys(environment)
  const print = `for key in ${keys.join(' ')}; do printenv $key; done`
  const id = await images.start({ environment, run: [`(${print}) > /seen`] })
  const expected = Object.values(environment).map((value) => `${value}\n`)
  expect(await images.shell(id, print)).toBe(expected.join(''))
  expect(await images.shell(id, 'cat /seen')).toBe(expected.join(''))
})

describe('a built image', () => {
  test('starts from the base of the fleet, which is built once, and its packages leave no caches behind', async () => {
    const folder = await makeFleetFolder({ a: 'a', b: 'b' })
    const events: FleetEvent[] = []
    const fleet = {
      base: { packages: ['netcat-openbsd'], environment: { BASE: 'yes' } },
      servers: {
        one: { build: { copy: [{ from: 'a', to: '/a' }] } },
        two: { build: { copy: [{ from: 'b', to: '/b' }] } },
        bare: { build: {} },
        named: { image: images.harness.image },
      },
    }
    const built = await images.build(fleet, folder, (event) => events.push(event))
    expect([...built.keys()]).toEqual(['one', 'two', 'bare'])
    expect(builtFor(events).sort()).toEqual(['bare', 'one', 'one, two, bare', 'two'])

    const layers = await Promise.all(['one', 'two'].map((name) => layersOf(built.get(name)?.reference ?? '')))
    const [one = [], two = []] = layers
    expect(one.slice(0, -1)).toEqual(two.slice(0, -1))
    expect(one.at(-1)).not.toBe(two.at(-1))
    expect(one.slice(0, -2)).toEqual(await layersOf(images.harness.image))

    const id = await images.harness.start({ image: built.get('one')?.reference ?? '' })
    expect(await images.shell(id, 'command -v nc; echo $BASE; ls -A /var/lib/apt/lists /var/cache/apt')).toBe(
      '/usr/bin/nc\nyes\n/var/cache/apt:\narchives\n\n/var/lib/apt/lists:\n',
    )
    expect(
      await images.shell(id, 'ls -A /usr/sbin/policy-rc.d /var/log/apt /var/log/dpkg.log 2>/dev/null || true'),
    ).toBe('')
    expect(await images.shell(id, 'find /var/cache/apt -type f -size +0')).toBe('')

    const again: FleetEvent[] = []
    const second = await images.build(fleet, folder, (event) => again.push(event))
    expect(builtFor(again)).toEqual([])
    expect([...second.values()].map(({ isNew }) => isNew)).toEqual([false, false, false])

    writeFileSync(join(folder, 'b'), 'B')
    await images.build(fleet, folder, (event) => again.push(event))
    expect(builtFor(again)).toEqual(['two'])
  })

  test('is built once for equal recipes, and has both names', async () => {
    const folder = await makeFleetFolder({ a: 'same' })
    const build = { copy: [{ from: 'a', to: '/a' }] }
    const events: FleetEvent[] = []
    const fleet = { servers: { twin: { build }, other: { build } } }
    const built = await images.build(fleet, folder, (event) => events.push(event))
    expect(builtFor(events)).toEqual(['twin, other'])
    const ids = await Promise.all(
      [...built.values()].map(({ reference }) => images.harness.engine.inspectImage(reference)),
    )
    expect(ids[0]?.id).toBeDefined()
    expect(ids[0]?.id).toBe(ids[1]?.id)

    await images.harness.engine.removeImage(built.get('other')?.reference ?? '')
    await images.build(fleet, folder)
    expect(await images.harness.engine.inspectImage(built.get('other')?.reference ?? '')).toBeDefined()
  })

  test.each<[string, (path: string) => void]>([
    ['has other bytes', (path) => writeFileSync(path, 'B'.repeat(1000))],
    ['has more bytes', (path) => appendFileSync(path, 'b')],
    ['has fewer bytes', (path) => truncateSync(path, 10)],
    ['is gone', (path) => rmSync(path)],
  ])('is not created when a copied file %s before it is sent', async (_, change) => {
    const folder = await makeFleetFolder({ data: 'b'.repeat(1000) })
    const build = { copy: [{ from: 'data', to: '/data' }], environment: { ONCE: folder } }
    const building = images.build({ servers: { one: { build } } }, folder, (event) => {
      if (event.kind === 'building' && event.step === undefined) change(join(folder, 'data'))
    })
    await expect(building).rejects.toMatchObject({
      code: 'CONTEXT_CHANGED',
      message: expect.stringContaining(join(folder, 'data')),
      hint: 'Run the command again.',
    })
    const [name] = Object.values(
      await images.digests({ servers: { one: { build: { environment: { ONCE: folder } } } } }, folder),
    )
    expect(await images.harness.engine.inspectImage(name ?? '')).toBeUndefined()
  })
})

test('files of an image can be read when its reference has a port and no tag', async () => {
  const { engine, labels } = images.harness
  const reference = `localhost:5000/${images.fleet}`
  const context = packArchive([{ kind: 'text', path: 'Dockerfile', mode: 0o644, text: 'FROM debian:bookworm-slim\n' }])
  await engine.buildImage({ tags: [reference], labels, dockerfile: 'Dockerfile', platform: undefined, context })
  const image = { reference, platform: undefined, labels: { ...labels, [label.change]: images.fleet } }
  const id = await readImage(image, engine, async (id) => id, {}).finally(() => engine.removeImage(reference))
  expect(id).toMatch(/^[0-9a-f]{64}$/)
})

test('`run` of the base runs before the packages of a server are installed', wide, async () => {
  const base = { run: ["echo 'krb5-config krb5-config/default_realm string FLEET.TEST' | debconf-set-selections"] }
  const built = await images.build({ base, servers: { one: { build: { packages: ['krb5-config'] } } } }, '/tmp')
  const id = await images.harness.start({ image: built.get('one')?.reference ?? '' })
  expect(await images.shell(id, 'cat /etc/krb5.conf')).toContain('default_realm = FLEET.TEST')
})
