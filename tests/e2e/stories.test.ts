import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countLeftovers, makeFleetFolder, ofItsOwn, removeFleetFolders, runTestfleet } from '../support/command.ts'
import { tcpServer } from '../support/perl-servers.ts'
import { askEngine, hasImage } from '../support/raw-engine.ts'
import { makeFleet, makeName, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

afterAll(removeFleetFolders)

/** What `init` writes, from the first call to the last. */
describe('a fleet, from its first day to its last', () => {
  const name = makeName('story')
  let folder: string
  const call = async (...words: string[]) =>
    ofItsOwn(await runTestfleet(words, { cwd: folder, timeoutMs: 120_000 }), name)

  beforeAll(async () => {
    folder = join(await makeFleetFolder({ [`${name}/README`]: 'new' }), name)
  })

  afterAll(async () => {
    await call('down')
    await call('rmi')
  })

  test('init writes a fleet file, and never overwrites one', async () => {
    expect(await call('init')).toMatchObject({ exitCode: 0, stdout: 'wrote testfleet.yaml; next: testfleet up\n' })
    const written = await readFile(join(folder, 'testfleet.yaml'), 'utf8')
    expect(await call('init')).toMatchObject({ exitCode: 2, stdout: '' })
    expect(await readFile(join(folder, 'testfleet.yaml'), 'utf8')).toBe(written)
  })

  test('init writes to the path of -f, from any folder', async () => {
    const path = join(folder, '../elsewhere.yaml')
    expect(await call('init', '-f', path)).toMatchObject({
      exitCode: 0,
      stdout: `wrote ${path}; next: testfleet up -f ${path}\n`,
    })
    expect(await readFile(path, 'utf8')).toBe(await readFile(join(folder, 'testfleet.yaml'), 'utf8'))
  })

  test('check finds it valid', async () => {
    const { exitCode, stdout } = await call('check', '--fail-on', 'medium')
    expect(stdout).toMatch(/^testfleet\.yaml is valid: 2 servers\n/)
    expect(exitCode, stdout).toBe(0)
  })

  test('plan prints what up would do, and changes nothing', async () => {
    const { exitCode, stdout } = await call('plan')
    expect(exitCode).toBe(0)
    const image = (server: string): string => `testfleet/${name}-${server}:[0-9a-f]{16}`
    expect(stdout).toMatch(
      new RegExp(
        [
          `session ${name}`,
          `  build   ${image('web')} \\(for web\\)`,
          `  build   ${image('cache')} \\(for cache\\)`,
          '  create  network',
          '  start   web: not running',
          '  start   cache: not running',
          '5 changes.',
          '',
        ].join('\n'),
      ),
    )
    const { session, operations } = JSON.parse((await call('plan', '--json', 'web')).stdout)
    expect(session).toBe(name)
    expect(operations.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...['buildImage', 'createNetwork', 'createServer', 'startServer', 'awaitReady', 'saveRecord'],
    ])
    expect(await countLeftovers(name)).toBe(0)
    expect(await hasImage(operations[0].build?.reference ?? operations[0].references[0])).toBe(false)
  })

  test('build builds the images once', async () => {
    const first = await call('build')
    expect(first.exitCode).toBe(0)
    const { images } = JSON.parse((await call('build', '--json')).stdout)
    expect(Object.keys(images)).toEqual(['web', 'cache'])
    for (const { image, built } of Object.values<{ image: string; built: boolean }>(images)) {
      expect(built).toBe(false)
      expect(await hasImage(image)).toBe(true)
      expect(first.stdout).toMatch(new RegExp(`^  (web  |cache)  built  ${image}$`, 'm'))
    }
    const again = await call('build')
    expect(again).toMatchObject({ exitCode: 0, stderr: '' })
    expect(again.stdout).toMatch(/^ {2}web {4}present {2}testfleet\/\S+\n {2}cache {2}present {2}testfleet\/\S+\n$/)
    expect(await countLeftovers(name)).toBe(0)
  })

  test('up starts the servers, and they answer', async () => {
    const { exitCode, stdout, stderr } = await call('up')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    expect(stderr).not.toContain('building')
    const web = /^ {2}web +ready {2}127\.0\.0\.1:(\d+)→80\/tcp$/m.exec(stdout)?.[1]
    expect(await (await fetch(`http://127.0.0.1:${web}/`)).text()).toBe('hello from testfleet\n')
    expect(await call('exec', 'cache', '--', 'redis-cli', 'ping')).toMatchObject({ exitCode: 0, stdout: 'PONG\n' })
  })

  test('plan has nothing to do after up', async () => {
    const { stdout } = await call('plan')
    const operations = stdout.replaceAll(/^ {2}image {3}testfleet\/\S+ \(\S+ \d\S*\)\n/gm, '')
    expect(operations).toBe(`session ${name}\n  keep    web\n  keep    cache\nNothing to do.\n`)
  })

  test('down leaves nothing behind, and has nothing to do when it is called again', async () => {
    expect(await call('down')).toMatchObject({
      exitCode: 0,
      stdout: `session ${name}: removed 2 servers, 1 network\n`,
    })
    expect(await countLeftovers(name)).toBe(0)
    expect(await call('down')).toMatchObject({
      exitCode: 0,
      stdout: `session ${name}: there was nothing to remove\n`,
      stderr: '',
    })
    expect(await call('ps')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no session') })
  })
})

describe('rmi', () => {
  let fleet: StoryFleet
  const build = { copy: [{ content: 'twin\n', to: '/twin' }] }

  beforeAll(async () => {
    // Twins have one image under two names.
    fleet = await makeFleet(
      { one: { build }, two: { build }, three: { build: { copy: [{ content: '3', to: '/3' }] } } },
      {},
      { base: { run: ['echo based > /base'] } },
    )
  })

  afterAll(async () => {
    await fleet.cleanUp()
  })

  test('removes the images of the fleet or of one server, and no others', async () => {
    const images = async (): Promise<string[]> => {
      const { images } = await fleet.json<{ images: Record<string, { image: string }> }>(['build'])
      return Object.values(images).map(({ image }) => image)
    }
    const [one = '', two = '', three = ''] = await images()
    const foreign = [
      `testfleet/${fleet.name}-one:foreign`,
      `testfleet/${fleet.name}2-one:1`,
      `${fleet.name}-one:latest`,
    ]
    for (const reference of foreign) {
      const [repo, tag] = reference.split(':')
      await askEngine('POST', `/images/debian:bookworm-slim/tag?repo=${repo}&tag=${tag}`)
    }
    try {
      expect(await fleet.json(['rmi', 'one'])).toEqual({ images: [one] })
      expect(await Promise.all([one, two, three].map(hasImage))).toEqual([false, true, true])
      await images()
      // For all of them the rest of the file does not matter.
      await fleet.declare({ one: { image: 'debian:bookworm-slim', environment: { GONE: { env: 'NOT_SET_HERE' } } } })
      const { images: removed } = await fleet.json<{ images: string[] }>(['rmi'])
      expect(removed).toEqual(expect.arrayContaining([one, two, three]))
      expect(removed).toHaveLength(4)
      expect(removed.at(-1)).toMatch(new RegExp(`^testfleet/${fleet.name}:[0-9a-f]{16}$`))
      expect(await Promise.all([one, two, three].map(hasImage))).toEqual([false, false, false])
      expect(await Promise.all(foreign.map(hasImage))).toEqual([true, true, true])
      expect((await fleet.done(['rmi'])).stdout).toBe('There was no image to remove.\n')
    } finally {
      for (const reference of foreign) await askEngine('DELETE', `/images/${reference}`)
    }
  })
})

describe('a fleet file', () => {
  test('is found from a folder below it, and its paths are relative to its own folder', async () => {
    const fleet = await makeFleet(
      {
        web: {
          build: { copy: [{ from: 'conf/greeting', to: '/greeting' }] },
          command: ['sh', '-c', 'cat /greeting; exec sleep 600'],
          ready: [{ log: 'good morning' }],
        },
      },
      { 'conf/greeting': 'good morning\n', 'deep/down/here': '' },
    )
    await fleet.done(['up'], { cwd: join(fleet.folder, 'deep/down') })
    const elsewhere = await runTestfleet(['ps', '-f', join(fleet.folder, 'testfleet.json')], { cwd: '/' })
    expect(elsewhere).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ {2}web +ready/m) })
    await fleet.cleanUp()
  })

  test('can be TypeScript', wide, async () => {
    const name = makeName('story')
    const folder = await makeFleetFolder({
      'testfleet.ts': [
        'type Server = { image: string; command: string[]; ports: number[] }',
        'const greeter = (port: number): Server => ({',
        `  image: 'debian:bookworm-slim', command: ${JSON.stringify(tcpServer(9999, 'typed')).replace('"9999"', 'String(port)')}, ports: [port],`,
        '})',
        `export default { name: '${name}', servers: { one: greeter(7001), two: greeter(7002) } }`,
      ].join('\n'),
    })
    const call = (...words: string[]) => runTestfleet(words, { cwd: folder })
    expect(await call('check')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^testfleet\.ts is valid: 2 servers\n/),
    })
    expect(await call('up')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^ {2}one +ready .*→7001\/tcp\n {2}two +ready .*→7002\/tcp$/m),
      // Node warns of experimental features, which users should not see.
      stderr: expect.not.stringContaining('Warning'),
    })
    expect(await call('down')).toMatchObject({ exitCode: 0 })
  })
})
