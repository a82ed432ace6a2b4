import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { BuildFailure } from '../../model/failures.ts'
import type { BuildProgress, BuildRequest } from '../image-types.ts'
import { type Harness, pack, readOutput } from './harness.ts'

/** Builds on top of the harness's image, and returns the tag. */
export async function buildText(harness: Harness, instructions: string): Promise<string> {
  const request = await requestOf(harness, `FROM ${harness.image}\n${instructions}\n`)
  await harness.engine.buildImage(request)
  return request.tags[0] ?? ''
}

async function requestOf(
  harness: Harness,
  dockerfile: string,
  files: Readonly<Record<string, string>> = {},
): Promise<BuildRequest> {
  const context = Readable.from([await pack({ 'a/Dockerfile': dockerfile, ...files })])
  return { tags: [`testfleet/${harness.name()}:1`], labels: harness.labels, dockerfile: 'a/Dockerfile', context }
}

export function describeBuilds(open: () => Harness): void {
  describe('a build', () => {
    describeGoodBuilds(open)
    describeFailedBuilds(open)
    describeCancelledBuilds(open)
  })
}

function describeGoodBuilds(open: () => Harness): void {
  test('creates an image with its tags, labels and files, and reports its steps and output', async () => {
    const { engine, image, start, name } = open()
    const dockerfile = `FROM ${image}\nARG WORD\nENV A=b\nCOPY file /file\nRUN echo "said $WORD" && printf rest\nWORKDIR /x\n`
    const told: BuildProgress[] = []
    const second = `testfleet/${name()}:2`
    const request = await requestOf(open(), dockerfile, { file: 'content\n' })
    const tags = [...request.tags, second]
    // Not cached: the text is new.
    await engine.buildImage({ ...request, tags, args: { WORD: tags[0] ?? '' }, onProgress: (one) => told.push(one) })
    const id = await start({ image: second, command: ['cat', '/file'] })
    await engine.waitContainer(id)
    expect((await readOutput(engine.readLogs(id, { follow: false }))).stdout).toBe('content\n')
    expect((await engine.inspectImage(tags[0] ?? ''))?.id).toBe((await engine.inspectImage(second))?.id)
    const steps = told.filter((one) => one.kind === 'step' && one.step !== undefined && !one.isCached)
    expect(steps).toEqual(
      expect.arrayContaining([expect.objectContaining({ step: 3, text: expect.stringMatching(/^RUN/) })]),
    )
    expect(told).toContainEqual({ kind: 'output', line: `said ${tags[0]}` })
    expect(told).toContainEqual({ kind: 'output', line: 'rest' })
  })

  test('of the same content is cached', async () => {
    const { engine, image } = open()
    const dockerfile = `FROM ${image}\nRUN echo once\n`
    await engine.buildImage(await requestOf(open(), dockerfile))
    const told: BuildProgress[] = []
    await engine.buildImage({ ...(await requestOf(open(), dockerfile)), onProgress: (one) => told.push(one) })
    expect(told).toContainEqual(expect.objectContaining({ kind: 'step', step: 2, isCached: true }))
    expect(told).not.toContainEqual({ kind: 'output', line: 'once' })
  })

  test('shares a cache with other builds if the engine has cache mounts', async ({ skip }) => {
    const { engine, image, name } = open()
    skip(!(await engine.hasCacheMounts()), 'the engine has no cache mounts')
    const write = `RUN --mount=type=cache,id=${name()},target=/dev/cache echo $WORD >> /dev/cache/words; cat /dev/cache/words`
    const build = async (word: string): Promise<readonly BuildProgress[]> => {
      const told: BuildProgress[] = []
      const request = await requestOf(open(), `FROM ${image}\nENV WORD=${word}\n${write}\n`)
      await engine.buildImage({ ...request, onProgress: (one) => told.push(one) })
      return told.filter(({ kind }) => kind === 'output')
    }
    expect(await build('one')).toEqual([{ kind: 'output', line: 'one' }])
    expect(await build('two')).toEqual(['one', 'two'].map((line) => ({ kind: 'output', line })))
  })

  test('can stop at a target', async () => {
    const { engine, image } = open()
    const request = await requestOf(open(), `FROM ${image} AS one\nLABEL at=one\nFROM one AS two\nRUN false\n`)
    await engine.buildImage({ ...request, target: 'one' })
    expect((await engine.inspectImage(request.tags[0] ?? ''))?.labels).toMatchObject({ at: 'one' })
  })
}

function describeFailedBuilds(open: () => Harness): void {
  const fail = async (dockerfile: string): Promise<BuildFailure> => {
    const { engine, labels } = open()
    const request = await requestOf(open(), dockerfile)
    const failure = await engine.buildImage(request).then(
      () => undefined,
      (error: BuildFailure) => error,
    )
    expect(failure).toMatchObject({ code: 'BUILD_FAILED' })
    expect(await engine.inspectImage(request.tags[0] ?? '')).toBeUndefined()
    // The classic builder's containers carry the image's labels.
    expect(await engine.listContainers({ ...labels, building: '' })).toEqual([])
    return failure as BuildFailure
  }

  test('reports which step failed, with only its own last lines', async () => {
    const { image, name } = open()
    const failure = await fail(`FROM ${image}\nENV A=b\nRUN echo before\nRUN echo ${name()}; seq 100; exit 3\n`)
    expect(failure).toMatchObject({ step: 3, instruction: expect.stringMatching(/^RUN echo .* seq 100; exit 3$/) })
    expect(failure.message).toMatch(/^step 3.*: exit code 3$/)
    expect(failure.output).toEqual(Array.from({ length: 40 }, (_, i) => String(i + 61)))
  })

  test('reports a syntax error with its line', async () => {
    const failure = await fail(`FROM ${open().image}\nBOGUS x\n`)
    expect(failure.message).toMatch(/line 2: unknown instruction: BOGUS/i)
    expect(failure.step).toBeUndefined()
  })

  test('reports a missing base image by its name', async () => {
    const failure = await fail('FROM 127.0.0.1:1/testfleet/nowhere:1\nRUN true\n')
    expect(failure.message).toMatch(/base image 127\.0\.0\.1:1\/testfleet\/nowhere:1/)
    expect(failure.hint).toBeDefined()
  })

  test('reports a missing file by its name', async () => {
    const failure = await fail(`FROM ${open().image}\nCOPY nosuchfile /\n`)
    expect(failure).toMatchObject({ step: 2, message: expect.stringContaining('nosuchfile') })
  })

  test('fails with the error of the source of its context', async () => {
    const { engine, image } = open()
    const request = await requestOf(open(), `FROM ${image}\n`)
    const context = Readable.from(
      (async function* () {
        yield Buffer.alloc(512)
        throw new Error('the context broke')
      })(),
    )
    await expect(engine.buildImage({ ...request, context })).rejects.toThrow('the context broke')
  })
}

function describeCancelledBuilds(open: () => Harness): void {
  test('ends when it is aborted, and leaves nothing behind', async () => {
    const { engine, image, name, labels } = open()
    const request = await requestOf(open(), `FROM ${image}\nRUN echo ${name()}; echo begun; sleep 300\n`)
    const abort = new AbortController()
    const building = engine.buildImage(
      {
        ...request,
        onProgress(progress) {
          if (progress.kind === 'output' && progress.line === 'begun') abort.abort(new Error('enough'))
        },
      },
      { signal: abort.signal },
    )
    await expect(building).rejects.toThrow('enough')
    expect(await engine.inspectImage(request.tags[0] ?? '')).toBeUndefined()
    expect(await engine.listContainers({ ...labels, building: '' })).toEqual([])
  })
}
