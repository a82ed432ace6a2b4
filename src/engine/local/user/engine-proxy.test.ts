import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { BuildFailure, TestfleetError } from '../../../model/failures.ts'
import type { Engine, EngineLocation } from '../../engine.ts'
import type { BuildRequest } from '../../image-types.ts'
import { proxyEngine } from './engine-proxy.ts'
import { openLink } from './link.ts'
import { serveEngine } from './serve-engine.ts'

const location: EngineLocation = {
  url: 'unix:///nowhere',
  because: 'a test',
  remoteHost: undefined,
  endpoint: { kind: 'socket', path: '/nowhere' },
}

/** Serves these methods, and returns the proxy of them, what ends the server, and whether it keeps this process awake. */
function connect(verbs: Partial<Engine>) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const ended = Promise.withResolvers<string>()
  const awake: boolean[] = []
  const served = serveEngine(verbs as Engine, input, output)
  const link = openLink({ input, output, ended: ended.promise, keepAwake: (isNeeded) => awake.push(isNeeded) })
  const engine = proxyEngine(location, { link: async () => link, close: link.close })
  return { engine, die: () => ended.resolve('killed'), served, awake, input }
}

async function forever(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

test('a failure keeps its code, hint and step, and an error its causes', async () => {
  const details = { hint: 'Do this.', output: ['one', 'two'] }
  const many = new AggregateError([Object.assign(new Error('inner'), { code: 'ENOENT' })], 'several')
  const { engine } = connect({
    async buildImage({ context }) {
      for await (const _ of context);
      throw new BuildFailure('step 3 failed', 3, 'RUN false', details)
    },
    async removeNetwork() {
      throw new TestfleetError('ENGINE_REFUSED', 'in use', { cause: many })
    },
    async removeVolume() {
      throw new TypeError('a bug')
    },
  })
  const request = { context: Readable.from(['a']) } as unknown as BuildRequest
  const failure = await engine.buildImage(request).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(BuildFailure)
  expect(failure).toMatchObject({ code: 'BUILD_FAILED', step: 3, instruction: 'RUN false', ...details })
  await expect(engine.removeNetwork('x')).rejects.toMatchObject({
    code: 'ENGINE_REFUSED',
    cause: { message: 'several', errors: [{ message: 'inner', code: 'ENOENT' }] },
  })
  const bug = await engine.removeVolume('x').catch((error: unknown) => error)
  expect(bug).toMatchObject({ name: 'TypeError', message: 'a bug' })
  expect(bug).not.toBeInstanceOf(TestfleetError)
})

test('a long answer arrives whole, in parts', async () => {
  const long = Buffer.alloc(3_000_001, 'abc')
  const { engine } = connect({
    getArchive: async () => long,
    async putArchive(_, folder, archive) {
      expect(folder).toBe('/to')
      expect(archive).toBeInstanceOf(Uint8Array)
      expect(long.equals(archive as Uint8Array)).toBe(true)
    },
  })
  expect(long.equals(await engine.getArchive('id', '/a', 1e9))).toBe(true)
  await engine.putArchive('id', '/to', long)
})

test('an item is read from the engine only when its reader has room', async () => {
  let made = 0
  const { engine } = connect({
    async *readArchive() {
      for (; made < 1000; made++) yield Buffer.alloc(10)
    },
  })
  let read = 0
  for await (const _ of engine.readArchive('id', '/')) {
    await new Promise((resolve) => setImmediate(resolve))
    expect(made - read++).toBeLessThan(20)
  }
  expect(read).toBe(1000)
})

test('a part of a stream is read from the caller only when the engine has room', async () => {
  let made = 0
  const source = Readable.from(
    (async function* () {
      for (; made < 1000; made++) yield Buffer.alloc(64 << 10)
    })(),
    { highWaterMark: 1 },
  )
  const { engine } = connect({
    async loadImages(archive) {
      let read = 0
      for await (const _ of archive) {
        await new Promise((resolve) => setImmediate(resolve))
        expect(made - read++).toBeLessThan(60)
      }
      return [String(read)]
    },
  })
  expect(await engine.loadImages(source)).toEqual(['1000'])
})

test('a reader that stops ends the call in the engine first', async () => {
  let isEnded = false
  const { engine } = connect({
    async *readLogs(_, __, call) {
      try {
        yield { stream: 'stdout', bytes: Buffer.from('line') }
        await forever(call?.signal)
      } finally {
        isEnded = true
      }
    },
  })
  for await (const _ of engine.readLogs('id', { follow: true })) break
  expect(isEnded).toBe(true)
})

test('an abort rejects with its own reason, and with what the engine could not end', async () => {
  const { engine } = connect({
    async waitContainer(_, call) {
      await forever(call?.signal).catch((error: TestfleetError) => {
        error.leftovers = 'a program still runs'
        throw error
      })
      return 0
    },
  })
  const abort = new AbortController()
  const reason = new TestfleetError('CANCELLED', 'enough')
  const waiting = expect(engine.waitContainer('id', { signal: abort.signal })).rejects.toBe(reason)
  setTimeout(() => abort.abort(reason), 10)
  await waiting
  expect(reason.leftovers).toBe('a program still runs')
})

test('every call fails with ENGINE_LOST when the process of the engine ends, also later ones', async () => {
  const { engine, die, awake } = connect({
    waitContainer: (_, call) => forever(call?.signal),
    async *followEvents(_, __, call) {
      yield await forever(call?.signal)
    },
  })
  const lost = { code: 'ENGINE_LOST', message: expect.stringContaining('killed') }
  const read = async () => {
    for await (const _ of engine.followEvents({}, { sinceMs: 0 }));
  }
  const calls = [
    expect(engine.waitContainer('id')).rejects.toMatchObject(lost),
    expect(read()).rejects.toMatchObject(lost),
  ]
  setTimeout(die, 10)
  await Promise.all(calls)
  await expect(engine.waitContainer('id')).rejects.toMatchObject(lost)
  expect(awake.at(-1)).toBe(false)
})

test('calls end in the engine when its caller is gone', async () => {
  let reason: unknown
  const { engine, served, input } = connect({
    waitContainer: (_, call) =>
      forever(call?.signal).catch((error: unknown) => {
        reason = error
        throw error
      }),
  })
  engine.waitContainer('id').catch(() => {})
  setTimeout(() => input.end(), 10)
  await served
  expect(reason).toMatchObject({ code: 'CANCELLED' })
})
