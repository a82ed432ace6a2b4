import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { engineAt, fakeDocker, fakeHttp, fakeSocket } from '../../../tests/support/fake-engine.ts'
import { speakAs } from '../../model/surface.ts'
import { explainPing } from './errors.ts'
import { locateEngine } from './locate.ts'

// Messages are quoted as the command words them.
speakAs('command')

describe.concurrent('the first call', () => {
  test('sends one ping, even for several concurrent calls, and chooses the API version', async () => {
    await using fake = await fakeDocker((_, response) => response.end('[]'))
    await Promise.all([1, 2, 3, 4].map(() => fake.engine.listContainers({})))
    await fake.engine.listNetworks({})
    expect(fake.requests.filter((request) => request === 'GET /_ping')).toHaveLength(1)
    expect(fake.requests.filter((request) => request.startsWith('GET /v1.41/'))).toHaveLength(5)
  })

  test.each([
    ['1.40', '1.40'],
    ['1.51', '1.51'],
    ['1.52', '1.51'],
    ['1.100', '1.51'],
  ])('to an engine up to %s uses %s', async (newest, spoken) => {
    await using fake = await fakeDocker((_, response) => response.end('[]'), { 'Api-Version': newest })
    await fake.engine.listContainers({})
    expect(fake.requests[1]).toContain(`/v${spoken}/containers/json`)
  })

  test('detects an engine that is too old', async () => {
    await using fake = await fakeDocker((_, response) => response.end('[]'), { 'Api-Version': '1.39' })
    const failure = { code: 'ENGINE_TOO_OLD', exitCode: 3, message: expect.stringMatching(/1\.39.*1\.40/) }
    await expect(fake.engine.listContainers({})).rejects.toMatchObject(failure)
  })

  test('detects an engine that is too new', async () => {
    const minimum = 'client version 1.51 is too old. Minimum supported API version is 1.60, please upgrade'
    await using fake = await fakeDocker(
      (request, response) => {
        if (request.url === '/version') response.end('{"Version":"40","ApiVersion":"1.70","MinAPIVersion":"1.60"}')
        else response.writeHead(400).end(JSON.stringify({ message: minimum }))
      },
      { 'Api-Version': '1.70' },
    )
    const failure = { code: 'ENGINE_TOO_OLD', exitCode: 3, hint: expect.stringContaining('newer testfleet') }
    await expect(fake.engine.listContainers({})).rejects.toMatchObject(failure)
    await expect(fake.engine.version()).rejects.toMatchObject(failure)
  })

  test('returns the product and version', async () => {
    const version = { Version: '4.3.1', ApiVersion: '1.41', MinAPIVersion: '1.24', Os: 'linux', Arch: 'amd64' }
    const answer = JSON.stringify(version)
    await using fake = await fakeDocker((_, response) => response.end(answer), { 'Libpod-Api-Version': '4.3.1' })
    expect(await fake.engine.version()).toEqual({
      product: 'Podman Engine',
      version: '4.3.1',
      api: '1.41',
      apiMax: '1.41',
      apiMin: '1.24',
      os: 'linux',
      arch: 'amd64',
    })
  })

  test('is repeated after a failure', async () => {
    let count = 0
    await using fake = await fakeHttp((_, response) => {
      if (count++ === 0) response.writeHead(503).end()
      else response.writeHead(200, { 'Api-Version': '1.41' }).end('[]')
    })
    await expect(fake.engine.listContainers({})).rejects.toMatchObject({ code: 'ENGINE_NOT_DOCKER' })
    expect(await fake.engine.listContainers({})).toEqual([])
  })

  test('waits for an engine that is waking up', async () => {
    await using fake = await fakeHttp((_, response) => {
      setTimeout(() => response.writeHead(200, { 'Api-Version': '1.41' }).end('[]'), 1500)
    })
    expect(await fake.engine.listContainers({})).toEqual([])
  })

  test('is repeated when the engine drops it', async () => {
    let count = 0
    await using fake = await fakeHttp((_, response) => {
      if (++count < 3) response.destroy()
      else response.writeHead(200, { 'Api-Version': '1.41' }).end('[]')
    })
    expect(await fake.engine.listContainers({})).toEqual([])
  })

  test('can be aborted by one caller without affecting the others', async () => {
    await using fake = await fakeHttp((_, response) => {
      setTimeout(() => response.writeHead(200, { 'Api-Version': '1.41' }).end('[]'), 150)
    })
    const abort = new AbortController()
    const leaving = expect(fake.engine.listContainers({}, { signal: abort.signal })).rejects.toThrow('enough')
    const staying = fake.engine.listContainers({})
    abort.abort(new Error('enough'))
    await leaving
    expect(await staying).toEqual([])
  })
})

describe.concurrent('an unusable engine', () => {
  test('at a missing socket fails with NO_ENGINE and a hint', async () => {
    const engine = await engineAt('unix:///no/such/engine.sock', '/no/home')
    const failure = await engine.version().catch((error) => error)
    expect(failure).toMatchObject({ code: 'NO_ENGINE', exitCode: 3, hint: expect.stringContaining('DOCKER_HOST') })
    expect(failure.message).toContain('unix:///no/such/engine.sock (--engine)')
  })

  test('lists the places that were searched', async () => {
    const located = await locateEngine({ environment: {}, home: '/no/home', platform: 'linux', uid: 77 })
    const { hint } = explainPing(located, Object.assign(new Error('x'), { code: 'ENOENT' }))
    expect(hint).toContain('unix:///var/run/docker.sock, unix:///run/user/77/docker.sock')
  })

  test('at a closed port fails with NO_ENGINE', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    const engine = await engineAt(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, '/no/home')
    await expect(engine.version()).rejects.toMatchObject({
      code: 'NO_ENGINE',
      message: expect.stringContaining('nothing listens'),
    })
  })

  test('at an unknown host fails with NO_ENGINE', async () => {
    const engine = await engineAt('tcp://engine.invalid:2375', '/no/home')
    await expect(engine.version()).rejects.toMatchObject({ code: 'NO_ENGINE' })
  })

  test('at a file that is not a socket fails with NO_ENGINE', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'no-socket-'))
    const engine = await engineAt(`unix://${folder}`, '/no/home')
    await expect(engine.version()).rejects.toMatchObject({ exitCode: 3 })
    await rm(folder, { recursive: true })
  })

  test('without permission fails with ENGINE_FORBIDDEN', async () => {
    const located = await locateEngine({ engine: 'unix:///x', environment: {}, home: '/no/home', platform: 'linux' })
    const failure = explainPing(located, Object.assign(new Error('x'), { code: 'EACCES' }))
    expect(failure).toMatchObject({ code: 'ENGINE_FORBIDDEN', hint: expect.stringContaining('docker group') })
  })

  test('behind a proxy that denies access fails with ENGINE_FORBIDDEN', async () => {
    await using fake = await fakeHttp((_, response) => response.writeHead(403).end('no'))
    await expect(fake.engine.version()).rejects.toMatchObject({ code: 'ENGINE_FORBIDDEN' })
  })

  test('that exceeds TESTFLEET_ENGINE_TIMEOUT fails with ENGINE_TIMEOUT', async () => {
    await using fake = await fakeSocket(() => {})
    const engine = await engineAt(fake.engine.location.url, '/no/home', { TESTFLEET_ENGINE_TIMEOUT: '300ms' })
    const failure = { code: 'ENGINE_TIMEOUT', exitCode: 3, message: expect.stringContaining('within 0.3 s') }
    await expect(engine.version()).rejects.toMatchObject(failure)
  })

  test('that never ends its answer fails with ENGINE_TIMEOUT', async () => {
    await using fake = await fakeSocket((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nO'),
    )
    const engine = await engineAt(fake.engine.location.url, '/no/home', { TESTFLEET_ENGINE_TIMEOUT: '300ms' })
    await expect(engine.version()).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
  })

  test.each<[string, Parameters<typeof fakeSocket>[0]]>([
    ['garbage', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')],
    ['nothing and closes', (socket) => socket.end()],
    ['nothing and resets', (socket) => socket.destroy()],
    ['half a header', (socket) => socket.end('HTTP/1.1 200 OK\r\nApi-Ver')],
  ])('that sends %s fails with ENGINE_NOT_DOCKER', async (_, onConnection) => {
    await using fake = await fakeSocket(onConnection)
    await expect(fake.engine.version()).rejects.toMatchObject({ code: 'ENGINE_NOT_DOCKER', exitCode: 3 })
  })

  test.each([
    ['a web page', 200, '<html>welcome</html>', {}],
    ['an error page', 502, '<html>bad gateway</html>', {}],
    ['JSON', 200, '{"ok":true}', {}],
    ['an invalid version', 200, 'OK', { 'Api-Version': 'latest' }],
  ])('that answers with %s fails with ENGINE_NOT_DOCKER', async (_, status, body, headers) => {
    await using fake = await fakeHttp((__, response) => response.writeHead(status, headers).end(body))
    const failure = { code: 'ENGINE_NOT_DOCKER', message: expect.stringContaining(`HTTP ${status}`) }
    await expect(fake.engine.version()).rejects.toMatchObject(failure)
  })

  test('that requires TLS is reported as such', async () => {
    const words = 'Client sent an HTTP request to an HTTPS server.'
    await using fake = await fakeHttp((_, response) => response.writeHead(400).end(words))
    await expect(fake.engine.version()).rejects.toThrow('DOCKER_TLS_VERIFY')
  })

  test('with an https address but without TLS fails with ENGINE_CONFIGURATION', async () => {
    const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const address = server.address()
    const engine = await engineAt(`https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, '/no/home')
    await expect(engine.version()).rejects.toMatchObject({ code: 'ENGINE_CONFIGURATION', exitCode: 3 })
    server.close()
  })
})

describe.concurrent('a call', () => {
  test('on a reused connection that the engine has closed is repeated when that is safe', async () => {
    let count = 0
    await using fake = await fakeDocker((request, response) => {
      // The second request reuses the connection of the first.
      if (++count === 2) request.socket.destroy()
      else response.end('[]')
    })
    await fake.engine.listContainers({})
    expect(await fake.engine.listContainers({})).toEqual([])
    expect(count).toBe(3)
  })

  test('that changes something is not repeated', async () => {
    let count = 0
    await using fake = await fakeDocker((request, response) => {
      if (++count === 2) request.socket.destroy()
      else response.end('[]')
    })
    await fake.engine.listContainers({})
    await expect(fake.engine.createNetwork('x', {})).rejects.toMatchObject({ code: 'ENGINE_LOST', exitCode: 1 })
    expect(count).toBe(2)
  })

  test('whose answer is cut off fails with ENGINE_LOST', async () => {
    await using fake = await fakeDocker((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('[')
      setTimeout(() => response.destroy(), 20)
    })
    await expect(fake.engine.listContainers({})).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  })

  test('that is not answered in time fails with ENGINE_TIMEOUT', async () => {
    await using fake = await fakeDocker(() => {})
    const failure = { code: 'ENGINE_TIMEOUT', message: expect.stringContaining('GET /containers/json within 0.05 s') }
    await expect(fake.engine.listContainers({}, { timeoutMs: 50 })).rejects.toMatchObject(failure)
  })

  test('that is answered with other JSON fails with ENGINE_NOT_DOCKER', async () => {
    await using fake = await fakeDocker((_, response) => response.end('{"containers":[]}'))
    await expect(fake.engine.listContainers({})).rejects.toMatchObject({ code: 'ENGINE_NOT_DOCKER' })
    await expect(fake.engine.info()).resolves.toBeDefined()
  })

  test.each([
    [200, 'ENGINE_REFUSED', /GET \/containers\/json has more than \d+ bytes/],
    [500, 'ENGINE_REFUSED', /^x+…$/],
  ])('that gets an endless answer of status %d is given up', { timeout: 60_000 }, async (status, code, message) => {
    await using fake = await fakeDocker((_, response) => {
      response.writeHead(status)
      const piece = Buffer.alloc(1024 * 1024, 'x')
      const fill = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', fill)
      fill()
    })
    // A deadline, so that the request is not repeated.
    await expect(fake.engine.listContainers({}, { timeoutMs: 50_000 })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  test("that is refused has the engine's message", async () => {
    await using fake = await fakeDocker((_, response) => {
      response.writeHead(500).end('{"message":"Error response from daemon: it \\u001b[31mburns\\n"}')
    })
    await expect(fake.engine.info()).rejects.toMatchObject({ code: 'ENGINE_REFUSED', message: 'it burns' })
  })

  test('that is refused with a web page has its status', async () => {
    await using fake = await fakeDocker((_, response) => response.writeHead(502).end('<html>'))
    await expect(fake.engine.info()).rejects.toMatchObject({
      code: 'ENGINE_REFUSED',
      message: expect.stringContaining('502'),
    })
  })

  test('encodes the variable parts of its path', async () => {
    await using fake = await fakeDocker((_, response) => response.writeHead(404).end('{"message":"no"}'))
    await fake.engine.inspectImage('host:5000/a/b:1?x#y').catch(() => {})
    expect(fake.requests[1]).toBe('GET /v1.41/images/host%3A5000/a/b%3A1%3Fx%23y/json')
  })
})
