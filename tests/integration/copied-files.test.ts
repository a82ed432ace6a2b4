import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contentTimeS } from '../../src/images/content-time.ts'
import type { FleetEvent } from '../../src/model/events.ts'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts'
import { type Build, type ImageHarness, openImageHarness } from '../support/image-harness.ts'
import { wideIf } from '../support/tiers.ts'

const timeOf = (content: string): number => contentTimeS(hash('sha256', content))

/** Where copies arrive is decided by `placeFiles`, which has tests of its own. */
describe.each([
  ['BuildKit', false],
  ['the classic builder', true],
])('with a build by %s', (_, isClassic) => {
  const options = wideIf(isClassic)
  let proxy: FaultProxy
  let images: ImageHarness
  let folder: string

  beforeAll(async () => {
    proxy = await openFaultProxy({ isClassic })
    images = await openImageHarness({ DOCKER_HOST: proxy.url })
    folder = await makeFleetFolder({
      'page.html': 'page',
      'rootfs/bin/hello': '#!/bin/sh\necho hello\n',
      'rootfs/tmp/x': 'x',
      'rootfs/root/key': 'key',
      'rootfs/new/deep/y': 'y',
      'rootfs/new/x.log': 'log',
    })
    await chmod(join(folder, 'rootfs/bin/hello'), 0o755)
    await mkdir(join(folder, 'rootfs/var'))
  })

  afterAll(async () => {
    await images.close()
    await proxy[Symbol.asyncDispose]()
    await removeFleetFolders()
  })

  const build = (one: Build) => images.build({ servers: { one: { build: one } } }, folder)

  test('copied files arrive as `cp` would place them, and folders of the image keep their modes', options, async () => {
    const copy = [
      { from: 'page.html', to: '/opt' },
      { from: 'rootfs', to: '/', ignore: ['new/*.log'] },
      { from: 'page.html', to: '/new/' },
      { content: 'c', to: '/www/c', owner: 'www-data:adm', mtime: '2001-02-03' },
    ]
    // The base has a link and a user that no image here has by itself.
    const base = { run: ['ln -s /srv /www; chmod 2770 /srv; useradd --uid 4321 late'] }
    const late = { content: 'd', to: '/www/d', owner: 'late' }
    execFileSync('mkfifo', [join(folder, 'rootfs/new/pipe')])
    const events: FleetEvent[] = []
    const built = await images.build(
      { base, servers: { one: { build: { copy: [...copy, late] } } } },
      folder,
      (event) => events.push(event),
    )
    expect(events.filter(({ kind }) => kind === 'warned')).toEqual([
      { kind: 'warned', message: expect.stringMatching(/^one: not copied, .*: rootfs\/new\/pipe$/) },
    ])
    const id = await images.harness.start({ image: built.get('one')?.reference ?? '' })
    const paths = [
      '/opt/page.html',
      '/usr/bin/hello',
      '/tmp/x',
      '/new',
      '/new/deep/y',
      '/new/page.html',
      '/srv/c',
      '/srv/d',
    ]
    expect(await images.shell(id, `stat -c '%n %a %u:%g' ${paths.join(' ')}`)).toBe(
      [
        ...[
          '/opt/page.html 644 0:0',
          '/usr/bin/hello 755 0:0',
          '/tmp/x 644 0:0',
          '/new 755 0:0',
          '/new/deep/y 644 0:0',
        ],
        ...['/new/page.html 644 0:0', '/srv/c 644 33:4', '/srv/d 644 4321:4321', ''],
      ].join('\n'),
    )
    const times = await images.shell(id, 'stat -c %Y /srv/c /srv/d /opt/page.html /new/page.html')
    const [asked, text, file, same] = times.split('\n').map(Number)
    expect(asked).toBe(Date.UTC(2001, 1, 3) / 1000)
    expect(text).toBe(timeOf('d'))
    expect([file, same]).toEqual([timeOf('page'), timeOf('page')])
    const folders = '/ /bin /tmp /root /srv /var /opt'
    expect(await images.shell(id, `stat -c '%n %F %a' ${folders}; ls /new; hello; ls / | tr '\\n' ' '`)).toBe(
      [
        ...['/ directory 755', '/bin symbolic link 777', '/tmp directory 1777', '/root directory 700'],
        ...['/srv directory 2770', '/var directory 755', '/opt directory 755'],
        ...['deep', 'page.html', 'hello'],
        'bin boot dev etc home lib media mnt new opt proc root run sbin srv sys tmp usr var www ',
      ]
        .join('\n')
        .replace('lib ', 'lib lib64 '),
    )
  })

  test('a copy with an impossible target fails, and leaves nothing behind', options, async () => {
    await expect(build({ copy: [{ content: 'x', to: '/srv' }] })).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/could not be built: \/srv is a folder in the image$/),
    })
    await expect(build({ copy: [{ content: 'x', to: '/x', owner: 'nosuch' }] })).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('the image has no user nosuch to own /x'),
    })
    const containers = await images.harness.engine.listContainers({ 'dev.testfleet.fleet': images.fleet })
    expect(containers.filter(({ labels }) => labels['dev.testfleet.change'] !== undefined)).toEqual([])
  })
})
