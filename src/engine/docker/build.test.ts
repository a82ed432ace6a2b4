import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type FakeEngine, fakeDocker } from '../../../tests/support/fake-engine.ts'
import type { BuildRequest } from '../image-types.ts'

const request = (content: Buffer | AsyncIterable<Buffer> = Buffer.from('tar')): BuildRequest => ({
  tags: ['a:1', 'b:2'],
  labels: { one: '1' },
  dockerfile: 'x/Dockerfile',
  args: { A: 'b' },
  context: content instanceof Buffer ? Readable.from([content]) : Readable.from(content),
})

/** Starts a builder that has every image, and builds with the given handler. */
function fakeBuilder(build: Parameters<typeof fakeDocker>[0], ping?: Record<string, string>): Promise<FakeEngine> {
  return fakeDocker((incoming, response) => {
    if (incoming.method === 'GET') response.end('{"Id":"sha256:1"}')
    else build(incoming, response)
  }, ping)
}

describe('a build', () => {
  test('fails if its answer ends without an error and its image does not exist', async () => {
    await using fake = await fakeDocker((incoming, response) => {
      if (incoming.method === 'GET') response.writeHead(404).end('{"message":"no such image"}')
      else incoming.resume().on('end', () => response.end('{"stream":"Step 1/9"}\n{"str'))
    })
    const failure = { code: 'ENGINE_LOST', message: expect.stringContaining('a:1') }
    await expect(fake.engine.buildImage(request())).rejects.toMatchObject(failure)
  })

  test('sends its context and all parameters', async () => {
    const chunks: Buffer[] = []
    await using fake = await fakeBuilder((incoming, response) => {
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => response.end('{"stream":"done"}'))
    })
    const content = Buffer.alloc(3_000_000, 'x')
    await fake.engine.buildImage(request(content))
    expect(Buffer.concat(chunks).equals(content)).toBe(true)
    const url = new URL(fake.requests[1]?.slice('POST '.length) ?? '', 'http://engine')
    expect(url.pathname).toBe('/v1.41/build')
    expect([...url.searchParams]).toEqual([
      ['version', '2'],
      ['t', 'a:1'],
      ['t', 'b:2'],
      ['dockerfile', 'x/Dockerfile'],
      ['labels', '{"one":"1"}'],
      ['buildargs', '{"A":"b"}'],
    ])
  })

  test.each([
    ['Podman', { 'Libpod-Api-Version': '4.3.1' }],
    ['Windows', { Ostype: 'windows' }],
    ['an engine set to the classic builder', { 'Builder-Version': '1' }],
  ])('uses the classic builder with %s', async (_, ping) => {
    await using fake = await fakeBuilder(
      (incoming, response) => incoming.resume().on('end', () => response.end()),
      ping,
    )
    await fake.engine.buildImage(request())
    expect(fake.requests[1]).toContain('/build?rm=true&forcerm=true&')
  })

  test('fails when it is refused before its context was read, and leaves no connection', async () => {
    await using fake = await fakeDocker((_, response) => {
      response.writeHead(400).end('{"message":"dockerfile parse error line 1: no"}')
    })
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(65_536)
    })()
    const building = request(endless)
    const failure = { code: 'BUILD_FAILED', message: 'dockerfile parse error line 1: no' }
    await expect(fake.engine.buildImage(building)).rejects.toMatchObject(failure)
    expect(building.context.destroyed).toBe(true)
  })

  test('fails when status 200 is followed by an error', async () => {
    await using fake = await fakeDocker((incoming, response) => {
      incoming
        .resume()
        .on('end', () => response.end('{"stream":"x"}\n{"errorDetail":{"message":"boom"},"error":"boom"}\n'))
    })
    await expect(fake.engine.buildImage(request())).rejects.toMatchObject({ code: 'BUILD_FAILED', message: 'boom' })
  })

  test('closes its context when it is aborted', async () => {
    await using fake = await fakeDocker(() => {})
    const abort = new AbortController()
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(65_536)
    })()
    const building = request(endless)
    const settled = expect(fake.engine.buildImage(building, { signal: abort.signal })).rejects.toThrow('enough')
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await settled
    expect(building.context.destroyed).toBe(true)
  })
})
