import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { engineAt, fakeDocker } from '../../../tests/support/fake-engine.ts'
import type { BuildProgress, BuildRequest } from '../image-types.ts'
import { readBuildProxies } from './build-proxies.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
})
afterEach(() => rm(home, { recursive: true }))

const environment = (): Record<string, string> => ({ DOCKER_CONFIG: home })
const ENGINE = 'unix:///var/run/docker.sock'

async function read(proxies: unknown, engine = ENGINE): Promise<Awaited<ReturnType<typeof readBuildProxies>>> {
  await writeFile(join(home, 'config.json'), JSON.stringify({ proxies }))
  return readBuildProxies({ environment: environment(), home }, engine)
}

const all = {
  httpProxy: 'http://h:1',
  httpsProxy: 'http://s:2',
  ftpProxy: 'http://f:3',
  noProxy: 'localhost,.test',
  allProxy: 'socks5://a:4',
}

describe('the proxies of config.json', () => {
  test('are build arguments in both spellings', async () => {
    expect((await read({ default: all })).args).toEqual({
      HTTP_PROXY: 'http://h:1',
      http_proxy: 'http://h:1',
      HTTPS_PROXY: 'http://s:2',
      https_proxy: 'http://s:2',
      FTP_PROXY: 'http://f:3',
      ftp_proxy: 'http://f:3',
      NO_PROXY: 'localhost,.test',
      no_proxy: 'localhost,.test',
      ALL_PROXY: 'socks5://a:4',
      all_proxy: 'socks5://a:4',
    })
  })

  test("are the engine's own, which replace all default ones", async () => {
    const proxies = { default: all, [ENGINE]: { httpProxy: 'http://own:1' }, 'tcp://far:2376': {} }
    expect((await read(proxies)).args).toEqual({ HTTP_PROXY: 'http://own:1', http_proxy: 'http://own:1' })
    expect((await read(proxies, 'tcp://far:2376')).args).toEqual({})
    expect((await read(proxies, 'tcp://other:2376')).args).toMatchObject({ ALL_PROXY: 'socks5://a:4' })
  })

  test.each([undefined, null, 7, [], {}, { default: 7 }, { default: { httpProxy: 7, noProxy: '' } }, { default: [] }])(
    'are empty in %j',
    async (proxies) => {
      expect((await read(proxies)).args).toEqual({})
    },
  )

  test('are empty without a configuration', async () => {
    expect((await readBuildProxies(undefined, ENGINE)).args).toEqual({})
    expect((await readBuildProxies({ environment: environment(), home }, ENGINE)).args).toEqual({})
  })
})

test.each([
  ['http://me:p%40ss@proxy:1', 'p%40ss p@ss me:p%40ss@proxy', '*** *** ***@proxy'],
  ['http://token@proxy:1', 'http://token@proxy:1', 'http://***@proxy:1'],
  ['me:long-one@proxy:1', 'long-one', '***'],
  ['http://a:b@proxy:1', 'a:b@proxy, b', '***@proxy, b'],
  ['http://a:100%@proxy:1', '100%', '***'],
  ['http://proxy:1', 'http://proxy:1', 'http://proxy:1'],
])('the login in %s is masked', async (httpProxy, text, hidden) => {
  expect((await read({ default: { httpProxy } })).hideLogins(text)).toBe(hidden)
})

describe('a build', () => {
  const request = (args: Record<string, string>, onProgress: (progress: BuildProgress) => void): BuildRequest => ({
    tags: ['a:1'],
    labels: {},
    dockerfile: 'Dockerfile',
    args,
    context: Readable.from(['tar']),
    onProgress,
  })

  async function build(args: Record<string, string>, answer: string): Promise<{ asked: unknown; said: string }> {
    await writeFile(
      join(home, 'config.json'),
      JSON.stringify({ proxies: { default: { httpProxy: 'http://me:hunter2@proxy:3128' } } }),
    )
    await using fake = await fakeDocker(
      (incoming, response) => {
        if (incoming.method === 'GET') response.end('{"Id":"sha256:1"}')
        else incoming.resume().on('end', () => response.end(answer))
      },
      { 'Builder-Version': '1' },
    )
    const engine = await engineAt(fake.engine.location.url, home, environment())
    const seen: unknown[] = []
    await engine
      .buildImage(request(args, (progress) => seen.push(progress)))
      .catch((error) => seen.push({ ...error, text: error.message, cause: error.cause }))
    engine.close()
    const url = new URL(fake.requests.find((one) => one.startsWith('POST'))?.slice('POST '.length) ?? '', 'http://x')
    return { asked: JSON.parse(url.searchParams.get('buildargs') ?? ''), said: JSON.stringify(seen) }
  }

  test('gets the proxies, unless the fleet file sets the argument itself', async () => {
    const { asked } = await build({ http_proxy: 'http://mine', A: 'b' }, '{"stream":"done"}')
    expect(asked).toEqual({ A: 'b', HTTP_PROXY: 'http://me:hunter2@proxy:3128', http_proxy: 'http://mine' })
  })

  test('never shows their logins, in progress or failures', async () => {
    const lines = [
      { stream: 'Step 1/1 : RUN curl -x http://me:hunter2@proxy:3128\n' },
      { stream: ' ---> Running in 1\n' },
      { stream: 'via http://me:hunter2@proxy:3128\n' },
      { errorDetail: { message: 'hunter2 was refused' }, error: 'hunter2 was refused' },
    ]
    const { said } = await build({}, lines.map((line) => JSON.stringify(line)).join('\n'))
    expect(said).toContain('***@proxy:3128')
    expect(said).toContain('*** was refused')
    expect(said).not.toContain('hunter2')
  })
})
