import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type FakeEngine, fakeDocker } from '../../../tests/support/fake-engine.ts'
import type { PullProgress } from '../image-types.ts'
import { connectDocker } from './connect.ts'

const lines = (response: ServerResponse, ...answer: readonly object[]) =>
  response.end(answer.map((line) => `${JSON.stringify(line)}\r\n`).join(''))

/** Starts a registry that has every image once it was pulled. */
function fakeRegistry(pull: Parameters<typeof fakeDocker>[0]): Promise<FakeEngine> {
  return fakeDocker((request, response) => {
    if (request.method === 'GET') response.end('{"Id":"sha256:1"}')
    else pull(request, response)
  })
}

describe('a pull', () => {
  test('fails if its answer ends without an error and the image does not exist', async () => {
    await using fake = await fakeDocker((request, response) => {
      if (request.method === 'GET') response.writeHead(404).end('{"message":"no such image"}')
      else lines(response, { status: 'Pulling' })
    })
    await expect(fake.engine.pullImage('x', {})).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  })

  test('requests one tag, and adds up the layers', async () => {
    await using fake = await fakeRegistry((_, response) =>
      lines(
        response,
        { status: 'Pulling from library/debian', id: 'latest' },
        { status: 'Downloading', id: 'a', progressDetail: { current: 10, total: 100 } },
        { status: 'Downloading', id: 'b', progressDetail: { current: 5, total: 50 } },
        { status: 'Download complete', id: 'a', progressDetail: {} },
        { status: 'Pull complete', id: 'b', progressDetail: {} },
        { status: 'Digest: sha256:x' },
      ),
    )
    const told: PullProgress[] = []
    await fake.engine.pullImage('debian', { platform: 'linux/amd64', onProgress: (one) => told.push(one) })
    const query = 'fromImage=docker.io%2Flibrary%2Fdebian&tag=latest&platform=linux%2Famd64'
    expect(fake.requests[1]).toBe(`POST /v1.41/images/create?${query}`)
    expect(told.map(({ currentBytes, totalBytes }) => [currentBytes, totalBytes])).toEqual([
      [0, 0],
      [10, 100],
      [15, 150],
      [105, 150],
      [150, 150],
      [150, 150],
    ])
  })

  test.each([
    ['manifest for x:1 not found: manifest unknown: manifest unknown', 'IMAGE_NOT_FOUND', undefined],
    [
      "pull access denied for x, repository does not exist or may require 'docker login': denied",
      'IMAGE_NOT_FOUND',
      /docker login/,
    ],
    [
      'Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io on 10.0.0.1:53: no such host',
      'PULL_FAILED',
      /cannot reach ghcr\.io/,
    ],
    ['Get "http://ghcr.io/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'PULL_FAILED', /cannot reach/],
    ['Get "https://ghcr.io/v2/": unauthorized: authentication required', 'PULL_FAILED', /docker login ghcr\.io/],
    ['write /var/lib/docker/tmp/GetImageBlob1: no space left on device', 'PULL_FAILED', /docker system df/],
    ['unexpected status 500', 'PULL_FAILED', undefined],
  ])('with the error "%s" fails with %s', async (words, code, hint) => {
    for (const isStream of [true, false]) {
      await using fake = await fakeDocker((_, response) => {
        if (isStream) lines(response, { status: 'Pulling' }, { errorDetail: { message: words }, error: words })
        else response.writeHead(500).end(JSON.stringify({ message: words }))
      })
      const failure = await fake.engine.pullImage('ghcr.io/x:1', {}).catch((error) => error)
      expect(failure).toMatchObject({ code, message: expect.stringContaining('ghcr.io/x:1') })
      if (hint) expect(failure.hint).toMatch(hint)
      else expect(failure.hint).toBeUndefined()
    }
  })

  test('whose connection is cut fails with ENGINE_LOST', async () => {
    await using fake = await fakeDocker((_, response) => {
      response.write('{"status":"Pulling"}\n')
      setTimeout(() => response.destroy(), 20)
    })
    await expect(fake.engine.pullImage('x', {})).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  })

  test('sends only the login of its registry', async () => {
    const home = await mkdtemp(join(tmpdir(), 'home-'))
    await mkdir(join(home, '.docker'))
    const auth = Buffer.from('me:pw').toString('base64')
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ auths: { 'ghcr.io': { auth } } }))
    const headers: unknown[] = []
    await using fake = await fakeRegistry((request, response) => {
      headers.push(request.headers['x-registry-auth'])
      response.end()
    })
    const engine = connectDocker(fake.engine.location as never, { environment: {}, home })
    await engine.pullImage('ghcr.io/x:1', {})
    await engine.pullImage('other.io/x:1', {})
    engine.close()
    expect(JSON.parse(Buffer.from(String(headers[0]), 'base64url').toString())).toMatchObject({
      username: 'me',
      password: 'pw',
    })
    expect(headers[1]).toBeUndefined()
    await rm(home, { recursive: true })
  })
})
