import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { speakAs } from '../../model/surface.ts'
import { readDockerConfig } from './docker-config.ts'
import { type LocateRequest, locateEngine } from './locate.ts'

// Messages are quoted as the command words them.
speakAs('command')

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const locate = (environment: Record<string, string> = {}, more: Partial<LocateRequest> = {}) =>
  locateEngine({ environment, home, platform: 'linux', ...more })

async function put(path: string, content = ''): Promise<string> {
  const file = join(home, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

const idOf = (name: string): string => createHash('sha256').update(name).digest('hex')

async function putContext(name: string, endpoint: object, tlsFiles: readonly string[] = []): Promise<void> {
  const meta = { Name: name, Metadata: {}, Endpoints: { docker: endpoint } }
  await put(`.docker/contexts/meta/${idOf(name)}/meta.json`, JSON.stringify(meta))
  for (const file of tlsFiles) await put(`.docker/contexts/tls/${idOf(name)}/docker/${file}`, 'pem')
}

describe('the engine is found', () => {
  test('by --engine first', async () => {
    const environment = { DOCKER_HOST: 'unix:///env.sock', DOCKER_CONTEXT: 'x' }
    expect(await locate(environment, { engine: 'unix:///flag.sock' })).toMatchObject({
      url: 'unix:///flag.sock',
      because: '--engine',
      remoteHost: undefined,
      endpoint: { kind: 'socket', path: '/flag.sock' },
    })
  })

  test('by DOCKER_HOST before DOCKER_CONTEXT, as docker does', async () => {
    await putContext('other', { Host: 'unix:///context.sock' })
    const found = await locate({ DOCKER_HOST: 'unix:///env.sock', DOCKER_CONTEXT: 'other' })
    expect(found).toMatchObject({ url: 'unix:///env.sock', because: 'DOCKER_HOST' })
  })

  test('by DOCKER_CONTEXT before the current context', async () => {
    await putContext('one', { Host: 'unix:///one.sock' })
    await putContext('two', { Host: 'unix:///two.sock' })
    const config = await put('.docker/config.json', '{"currentContext":"two"}')
    const one = await locate({ DOCKER_CONTEXT: 'one' })
    expect(one).toMatchObject({ url: 'unix:///one.sock', because: 'context "one" of DOCKER_CONTEXT' })
    expect(await locate()).toMatchObject({ url: 'unix:///two.sock', because: `context "two" of ${config}` })
    const flag = await locate({ DOCKER_HOST: 'unix:///env.sock' }, { engine: 'context:two' })
    expect(flag).toMatchObject({ url: 'unix:///two.sock', because: 'context "two" of --engine' })
  })

  test('in the folder that DOCKER_CONFIG names', async () => {
    await put('elsewhere/config.json', '{"currentContext":"x"}')
    const meta = JSON.stringify({ Endpoints: { docker: { Host: 'unix:///x.sock' } } })
    await put(`elsewhere/contexts/meta/${idOf('x')}/meta.json`, meta)
    expect(await locate({ DOCKER_CONFIG: join(home, 'elsewhere') })).toMatchObject({ url: 'unix:///x.sock' })
  })

  test('without a context when the context is named default', async () => {
    const found = await locate({ DOCKER_CONTEXT: 'default', XDG_RUNTIME_DIR: home })
    expect(found.because).toMatch(/socket$/)
    const named = await locate({ DOCKER_HOST: 'unix:///env.sock' }, { engine: 'context:default' })
    expect(named.url).toBe('unix:///env.sock')
  })

  test('at the first of the usual sockets that exists', async () => {
    // If this machine has the default socket, it comes first; with the paths of Windows it never exists here.
    const request = { platform: 'win32' as const }
    expect(await locate({}, request)).toMatchObject({
      url: 'npipe:////./pipe/docker_engine',
      because: 'default socket',
    })
    const { candidates } = await locate({ XDG_RUNTIME_DIR: join(home, 'run') })
    expect(candidates?.slice(0, 2)).toEqual(['unix:///var/run/docker.sock', `unix://${join(home, 'run/docker.sock')}`])
    expect(candidates).toContain(`unix://${join(home, '.colima/default/docker.sock')}`)
    expect(candidates?.at(-1)).toBe('unix:///run/podman/podman.sock')
  })

  test('at the sockets of every Colima profile', async () => {
    await put('.colima/work/docker.sock')
    const { candidates } = await locate()
    expect(candidates).toContain(`unix://${join(home, '.colima/work/docker.sock')}`)
  })

  test('at the rootless socket of the user id when XDG_RUNTIME_DIR is not set', async () => {
    expect((await locate({}, { uid: 1234 })).candidates).toContain('unix:///run/user/1234/docker.sock')
  })
})

describe('an address', () => {
  test.each([
    ['tcp://10.0.0.1', { host: '10.0.0.1', port: 2375, tls: undefined, basePath: '' }],
    ['tcp://engine.test:1234/docker/', { host: 'engine.test', port: 1234, basePath: '/docker' }],
    ['engine.test:2375', { host: 'engine.test', port: 2375 }],
    ['http://engine.test', { host: 'engine.test', port: 80, tls: undefined }],
    ['https://engine.test', { port: 443, tls: { isVerified: true } }],
    ['tcp://[::1]:2375', { host: '::1', port: 2375 }],
    ['tcp://:2375', { host: '127.0.0.1', port: 2375 }],
  ])('%s is TCP', async (engine, endpoint) => {
    expect((await locate({}, { engine })).endpoint).toMatchObject({ kind: 'tcp', ...endpoint })
  })

  test('on another machine is recognized as remote', async () => {
    expect((await locate({}, { engine: 'tcp://10.0.0.1:1' })).remoteHost).toBe('10.0.0.1')
    expect((await locate({}, { engine: 'tcp://localhost:1' })).remoteHost).toBeUndefined()
  })

  test('may be a named pipe', async () => {
    const { endpoint } = await locate({ DOCKER_HOST: 'npipe:////./pipe/other' }, { platform: 'win32' })
    expect(endpoint).toEqual({ kind: 'socket', path: '\\\\.\\pipe\\other' })
  })

  test.each([
    ['ssh://me@host', /SSH/, /ssh -N -L/],
    ['fd://x', /fd:\/\/ is not supported/, undefined],
    ['/var/run/docker.sock', /unix:\/\/\/var\/run\/docker\.sock/, undefined],
    ['tcp://host:99999', /99999 is not a port/, undefined],
    ['tcp://ho st:1', /not tcp:\/\/HOST:PORT/, undefined],
    ['tcp://host:1?x', /not tcp:\/\/HOST:PORT/, undefined],
    ['', /no scheme/, undefined],
  ])('%s is refused', async (engine, message, hint) => {
    const failure = await locate({}, { engine }).catch((error) => error)
    expect(failure).toMatchObject({
      code: 'ENGINE_CONFIGURATION',
      exitCode: 3,
      message: expect.stringMatching(message),
    })
    if (hint) expect(failure.hint).toMatch(hint)
  })

  test('that contains a password is shown without it', async () => {
    const failure = await locate({ DOCKER_HOST: 'tcp://me:secret@host:1' }).catch((error) => error)
    expect(failure.code).toBe('ENGINE_CONFIGURATION')
    expect(failure.message).not.toContain('secret')
  })
})

describe('TLS', () => {
  test('comes from DOCKER_CERT_PATH with DOCKER_TLS_VERIFY', async () => {
    for (const name of ['ca', 'cert', 'key']) await put(`certs/${name}.pem`)
    const folder = join(home, 'certs')
    const environment = { DOCKER_HOST: 'tcp://engine.test', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }
    expect(await locate(environment)).toMatchObject({
      url: 'https://engine.test:2376',
      endpoint: {
        port: 2376,
        tls: { ca: `${folder}/ca.pem`, cert: `${folder}/cert.pem`, key: `${folder}/key.pem`, isVerified: true },
      },
    })
  })

  test.each(['ca', 'cert', 'key'])('fails when %s.pem is missing', async (missing) => {
    await put('certs/x')
    for (const name of ['ca', 'cert', 'key'].filter((one) => one !== missing)) await put(`certs/${name}.pem`)
    const folder = join(home, 'certs')
    const environment = { DOCKER_HOST: 'tcp://engine.test', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }
    const failure = { code: 'ENGINE_CONFIGURATION', message: expect.stringContaining(`${folder}/${missing}.pem`) }
    await expect(locate(environment)).rejects.toMatchObject(failure)
  })

  test('is not used for a unix socket', async () => {
    const environment = { DOCKER_HOST: 'unix:///x.sock', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/no/such' }
    expect((await locate(environment)).endpoint).toEqual({ kind: 'socket', path: '/x.sock' })
  })

  test('comes from the files of a context', async () => {
    await putContext('far', { Host: 'tcp://far.test:2376', SkipTLSVerify: false }, ['ca.pem', 'cert.pem', 'key.pem'])
    const { endpoint } = await locate({ DOCKER_CONTEXT: 'far' })
    const tls = { ca: expect.stringMatching(/contexts\/tls\/[0-9a-f]{64}\/docker\/ca\.pem$/), isVerified: true }
    expect(endpoint).toMatchObject({ host: 'far.test', tls })
  })

  test('of a context can skip verification', async () => {
    await putContext('far', { Host: 'tcp://far.test:2376', SkipTLSVerify: true })
    expect((await locate({ DOCKER_CONTEXT: 'far' })).endpoint).toMatchObject({ tls: { isVerified: false } })
  })

  test('of a context needs both certificate and key', async () => {
    await putContext('far', { Host: 'tcp://far.test:2376' }, ['cert.pem'])
    await expect(locate({ DOCKER_CONTEXT: 'far' })).rejects.toThrow(/key\.pem does not exist/)
  })

  test('of a context without files is off', async () => {
    await putContext('near', { Host: 'tcp://127.0.0.1:2375' })
    expect((await locate({ DOCKER_CONTEXT: 'near' })).endpoint).toMatchObject({ tls: undefined })
  })
})

describe('a broken configuration is reported', () => {
  test('with the name of a context that does not exist', async () => {
    const failure = await locate({ DOCKER_CONTEXT: 'gone' }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'ENGINE_CONFIGURATION', exitCode: 3 })
    expect(failure.message).toContain('"gone"')
    expect(failure.message).toContain(`contexts/meta/${idOf('gone')}/meta.json`)
  })

  test('with the path of a broken meta.json', async () => {
    await put(`.docker/contexts/meta/${idOf('x')}/meta.json`, 'no json')
    const failure = { code: 'ENGINE_CONFIGURATION', message: expect.stringContaining('meta.json') }
    await expect(locate({ DOCKER_CONTEXT: 'x' })).rejects.toMatchObject(failure)
    await expect(locate()).resolves.toMatchObject({ because: expect.stringMatching(/socket/) })
  })
})

describe('an unreadable config.json is ignored', () => {
  const file = (): string => join(home, '.docker/config.json')
  const cases: [string, () => Promise<unknown>, string][] = [
    ['is empty', () => put('.docker/config.json'), 'is empty'],
    ['has only a line end', () => put('.docker/config.json', '\n'), 'is empty'],
    ['is cut off', () => put('.docker/config.json', '{"auths":{"x":{"auth":"c2VjcmV0"}}'), 'is not a JSON object'],
    ['is a list', () => put('.docker/config.json', '[]'), 'is not a JSON object'],
    ['is a program', () => put('.docker/config.json', '\x7fELF\0\0\xff'), 'is not a JSON object'],
    ['is too large', () => put('.docker/config.json', `{"x":"${'x'.repeat(5_000_000)}"}`), 'has 5000008 bytes'],
    ['is a folder', () => put('.docker/config.json/x'), 'is a folder'],
    ['is a named pipe', async () => execFileSync('mkfifo', [file()]), 'is not a file'],
    ['is a device', () => symlink('/dev/zero', file()), 'is not a file'],
    ['leads to itself', () => symlink(file(), file()), 'cannot be read: '],
  ]
  test.each(cases)('when it %s, with a warning', async (_, make, why) => {
    await mkdir(dirname(file()))
    await make()
    const config = await readDockerConfig({ environment: {}, home })
    expect(config).toMatchObject({ auths: {}, proxies: {}, currentContext: undefined, credsStore: undefined })
    expect(config.problem?.startsWith(`${file()} ${why}`)).toBe(true)
    expect(config.problem).toMatch(/; it is ignored, including its logins, contexts and proxies$/)
    expect(config.problem).not.toContain('c2VjcmV0')
    expect((await locate()).because).toMatch(/socket/)
  })

  test('but a missing one gives no warning', async () => {
    expect((await readDockerConfig({ environment: {}, home })).problem).toBeUndefined()
    const elsewhere = { DOCKER_CONFIG: join(home, 'gone/too') }
    expect((await readDockerConfig({ environment: elsewhere, home })).problem).toBeUndefined()
  })
})
