import { describe, expect, test } from 'vitest'
import { findOwner } from '../formats/user-lists.ts'
import type { ContextEntry, PreparedCopy } from '../model/plan.ts'
import { type Found, type ImageFiles, type PlacementError, placeFiles } from './place-files.ts'

const users = 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nsync:x:4:65534::/bin:/bin/sync\n'
const groups = 'root:x:0:\nadm:x:4:\nwww-data:x:33:\n'

/** An image with these folders (with `/` at the end), files and links. Links within a path are links to folders. */
function imageOf(
  paths: readonly string[],
  links: Readonly<Record<string, string>> = {},
): ImageFiles & { asked: string[] } {
  const found = new Map<string, Found>()
  for (const path of paths) {
    const parts = path.split('/').filter(Boolean)
    for (let length = 1; length <= parts.length; length++) {
      const kind = length < parts.length || path.endsWith('/') ? 'folder' : 'file'
      found.set(`/${parts.slice(0, length).join('/')}`, { kind })
    }
  }
  for (const [path, target] of Object.entries(links)) found.set(path, { kind: 'link', target })
  const asked: string[] = []
  return {
    asked,
    async look(path) {
      asked.push(path)
      const link = Object.keys(links).find((one) => path.startsWith(`${one}/`))
      return found.get(link === undefined ? path : path.replace(link, links[link] ?? ''))
    },
    async expectLooks() {},
    findOwner: (owner) =>
      findOwner(
        owner,
        async (path) => (path === '/etc/passwd' ? users : groups),
        (uid) => uid,
      ),
  }
}

const debian = imageOf(['/opt/', '/srv/', '/tmp/', '/root/.profile', '/usr/bin/env', '/etc/passwd', '/etc/site.d/on'], {
  '/bin': '/usr/bin',
  '/www': '/srv',
  '/etc/mtab': '/proc/mounts',
  '/etc/loop': '/etc/loop',
  '/etc/alt': '/etc/passwd',
})

const at = ['servers', 'web', 'build', 'copy', 0]
const step = { title: 'copy', at }
const text = (path: string, mode = 0o644): ContextEntry => ({ kind: 'text', path, mode, text: path })
const folder = (path: string, mode = 0o755): ContextEntry => ({ kind: 'folder', path, mode })
const link = (path: string, target: string): ContextEntry => ({ kind: 'link', path, mode: 0o777, target })

const file = (name: string, to: string, owner?: string): PreparedCopy => ({
  step,
  source: { kind: 'file', name },
  to,
  owner,
  modifiedAtS: undefined,
  entries: [text('.')],
})
const content = (to: string, owner?: string): PreparedCopy => ({
  step,
  source: { kind: 'content' },
  to,
  owner,
  modifiedAtS: undefined,
  entries: [text('.')],
})
const tree = (to: string, ...entries: ContextEntry[]): PreparedCopy => ({
  step,
  source: { kind: 'folder' },
  to,
  owner: undefined,
  modifiedAtS: undefined,
  entries: [folder('.'), ...entries],
})

/** The members of all archives, as `path mode`, with the owner if they have one. */
async function place(copies: readonly PreparedCopy[], image = debian): Promise<string[]> {
  const show = ({ path, mode, kind, owner }: ContextEntry): string =>
    [path + (kind === 'folder' ? '/' : ''), mode.toString(8), ...(owner ? [`${owner.uid}:${owner.gid}`] : [])].join(' ')
  return (await placeFiles(copies, image)).flat().map(show)
}

async function failureOf(...copies: PreparedCopy[]): Promise<PlacementError> {
  return place(copies).then(
    (placed) => Promise.reject(new Error(`placed ${placed}`)),
    (error: PlacementError) => error,
  )
}

describe('a file', () => {
  test.each<[string, string[]]>([
    ['/opt', ['opt/page.html 644']],
    ['/opt/', ['opt/page.html 644']],
    ['/opt/index.html', ['opt/index.html 644']],
    ['/', ['page.html 644']],
    ['/bin', ['usr/bin/page.html 644']],
    ['/www/', ['srv/page.html 644']],
    ['/www/x', ['srv/x 644']],
    ['/new', ['new 644']],
    ['/new/', ['new/ 755', 'new/page.html 644']],
    ['/new/deep/x', ['new/ 755', 'new/deep/ 755', 'new/deep/x 644']],
    ['/etc/passwd', ['etc/passwd 644']],
    ['/etc/alt', ['etc/passwd 644']],
  ])('copied to %s is placed as `cp` would place it', async (to, expected) => {
    expect(await place([file('page.html', to)])).toEqual(expected)
  })

  test('is placed in a folder that an earlier copy created', async () => {
    const copies = [tree('/site', text('a')), file('b', '/site'), file('c', '/site/'), content('/site/d')]
    expect(await place(copies)).toEqual(['site/ 755', 'site/a 644', 'site/b 644', 'site/c 644', 'site/d 644'])
  })

  test('is placed through a link that an earlier copy created', async () => {
    expect((await place([tree('/srv', folder('real'), link('now', 'real')), file('x', '/srv/now')])).at(-1)).toBe(
      'srv/real/x 644',
    )
  })

  test('cannot replace a folder, or be placed below a file', async () => {
    expect(await failureOf(file('site.d', '/etc'))).toMatchObject({
      message: '/etc/site.d is a folder in the image; a file cannot replace it',
      at: [...at, 'to'],
    })
    for (const to of ['/etc/passwd/x', '/etc/passwd/'])
      expect((await failureOf(file('x', to))).message).toMatch(
        /^\/etc\/passwd\/? is a file in the image, not a folder$/,
      )
    expect((await failureOf(file('x', '/etc/loop'))).message).toContain('leads in a circle')
  })
})

describe('a path that the engine replaces in every container', () => {
  test.each([
    ['/etc/hosts', 'Use `aliases` or `extraHosts` of the server instead.'],
    ['/etc/resolv.conf', 'Use `dns` of the server instead.'],
    ['/etc/hostname', 'Use `hostname` of the server instead.'],
    ['/dev/mine', 'Use `devices` or `mounts` of the server instead.'],
    ['/proc/x', 'Use `sysctls` of the server instead.'],
  ])('cannot be the target of a copy: %s', async (to, hint) => {
    for (const copy of [file('x', to), content(to)])
      expect(await failureOf(copy)).toMatchObject({
        message: `${to} cannot be copied: the engine puts its own in that place when a container starts`,
        at: [...at, 'to'],
        hint,
      })
  })

  test('is refused inside a copied folder, but not its neighbours', async () => {
    expect(await failureOf(tree('/', folder('etc'), text('etc/hosts')))).toMatchObject({
      hint: 'Use `aliases` or `extraHosts` of the server instead, and keep the path out of the copy with `ignore`.',
    })
    expect(await place([content('/etc/hosts.allow'), tree('/', folder('dev'), text('device'))])).toEqual([
      'etc/hosts.allow 644',
      ...['dev/ 755', 'device 644'],
    ])
  })
})

describe('a `content`', () => {
  test.each(['/srv', '/www', '/bin'])('cannot replace a folder of the image: %s', async (to) => {
    expect(await failureOf(content(to))).toMatchObject({
      message: `${to} is a folder in the image`,
      at: [...at, 'to'],
      hint: `Name the file too, such as ${to}/NAME.`,
    })
  })

  test('becomes the file of its target', async () => {
    expect(await place([content('/srv/x'), content('/etc/new/y')])).toEqual([
      'srv/x 644',
      'etc/new/ 755',
      'etc/new/y 644',
    ])
  })
})

describe('a copied folder', () => {
  test('keeps the folders of the image as they are, and creates the others with their own modes', async () => {
    const entries = [
      ...[folder('root'), text('root/x', 0o600), folder('tmp', 0o700), folder('tmp/mine', 0o750), text('tmp/mine/y')],
      ...[folder('var', 0o711), folder('var/empty')],
    ]
    expect(await place([tree('/', ...entries)])).toEqual([
      ...['root/x 600', 'tmp/mine/ 750', 'tmp/mine/y 644'],
      ...['var/ 711', 'var/empty/ 755'],
    ])
  })

  test('without new members places nothing', async () => {
    expect(await place([tree('/', folder('etc'))])).toEqual([])
  })

  test('is placed through links of the image', async () => {
    expect(await place([tree('/', folder('bin'), text('bin/hello', 0o755))])).toEqual(['usr/bin/hello 755'])
    expect(await place([tree('/www', folder('a', 0o700), text('a/b'))])).toEqual(['srv/a/ 700', 'srv/a/b 644'])
  })

  test('replaces files, and links with the names of its files', async () => {
    const entries = [folder('etc'), text('etc/passwd'), text('etc/mtab'), text('etc/alt'), link('etc/motd', 'x')]
    expect(await place([tree('/', ...entries)])).toEqual([
      ...['etc/passwd 644', 'etc/mtab 644', 'etc/alt 644', 'etc/motd 777'],
    ])
  })

  test.each<[string, ContextEntry[], string]>([
    ['a file', [text('srv')], '/srv is a folder in the image; the file srv cannot replace it'],
    ['a link', [link('srv', 'x')], '/srv is a folder in the image; the link srv cannot replace it'],
    ['a file', [text('bin')], '/bin is a link to the folder /usr/bin in the image; a file cannot replace it'],
    ['a folder', [folder('etc'), folder('etc/passwd')], '/etc/passwd is a file in the image; the folder etc/passwd'],
    ['a folder', [folder('etc'), folder('etc/mtab')], '/etc/mtab is a link to /proc/mounts, which is no folder'],
  ])('cannot put %s where the image has another kind', async (_, entries, message) => {
    const failure = await failureOf(tree('/', ...entries))
    expect(failure.message).toContain(message)
    expect(failure.at).toEqual([...at, 'to'])
  })

  test('creates the parent folders of members whose folder was left out', async () => {
    expect(await place([tree('/srv', text('a/b/kept'))])).toEqual(['srv/a/ 755', 'srv/a/b/ 755', 'srv/a/b/kept 644'])
  })

  test('does not look up new folders in the image', async () => {
    const image = imageOf(['/srv/'])
    await place([tree('/srv/new', folder('a'), text('a/b'), text('c'))], image)
    expect(image.asked.every((path) => !path.startsWith('/srv/new/'))).toBe(true)
  })
})

describe('the owner of a copy', () => {
  test.each([
    ['www-data', '33:33'],
    ['www-data:adm', '33:4'],
    ['sync', '4:65534'],
    ['root', '0:0'],
    ['1234', '1234:1234'],
    ['1234:adm', '1234:4'],
    ['1234:5678', '1234:5678'],
  ])('%s is %s, for files and for new folders', async (owner, numbers) => {
    const expected = [`srv/new/ 755 ${numbers}`, `srv/new/x 644 ${numbers}`]
    expect(await place([content('/srv/new/x', owner)])).toEqual(expected)
  })

  test('that the image does not have is refused at its position', async () => {
    expect(await failureOf(content('/srv/x', 'nosuch'))).toMatchObject({
      message: 'the image has no user nosuch to own /srv/x',
      at: [...at, 'owner'],
      hint: expect.stringContaining('`base.run`, such as `useradd --system nosuch`'),
    })
    expect(await failureOf(file('x', '/srv', 'root:nosuch'))).toMatchObject({
      message: 'the image has no group nosuch to own /srv',
      hint: expect.stringContaining('groupadd --system nosuch'),
    })
  })

  test('cannot be a user that `base.run` creates later, if the copy is in the base', async () => {
    const copy = { ...content('/x', 'nosuch'), step: { title: '', at: ['base', 'copy', 0] } }
    expect((await failureOf(copy)).hint).toContain('`run` comes after `copy`')
  })
})

test('`mtime` is the time of files, links and new folders', async () => {
  const copies = [{ ...tree('/new/x', text('a'), link('b', 'a')), modifiedAtS: 7 }]
  expect((await placeFiles(copies, debian)).flat().map(({ modifiedAtS }) => modifiedAtS)).toEqual([7, 7, 7, 7])
})
