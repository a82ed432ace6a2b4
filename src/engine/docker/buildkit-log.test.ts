import { describe, expect, test } from 'vitest'
import type { BuildProgress } from '../image-types.ts'
import { countSteps } from './build-steps.ts'
import { followBuildKit, readName } from './buildkit-log.ts'

/** Output of Engine 20.10 for a build whose second step failed. */
const recorded = [
  'CpgBCkdzaGEyNTY6NTZiZjVkY2QzOGVlMmY2MGY2NDZiMTViMWI5MWU0MGI1ZTgzNzVhNDU3NTcyZjg5MGVkYmNjYmQxNzE5MDgxMxoxWzEvMl0gRlJPTSBkb2NrZXIuaW8vbGlicmFyeS9kZWJpYW46Ym9va3dvcm0tc2xpbSABKgsIutqK2AYQptyVVDILCLraitgGEO6dl1Q=',
  'Ct8BCkdzaGEyNTY6ZDI4MDhhMWJmZjRkMzhiMzAyZjdjZDBhNDM0NTYwNTY3YzkyYmIwZjdiOWViMWZjOWY5NTY5MjdlNGJlZGY5NBJHc2hhMjU2OjU2YmY1ZGNkMzhlZTJmNjBmNjQ2YjE1YjFiOTFlNDBiNWU4Mzc1YTQ1NzU3MmY4OTBlZGJjY2JkMTcxOTA4MTMaPlsyLzJdIFJVTiBlY2hvIHVuaXF1ZS03OyBwcmludGYgInBhcnQiOyBlY2hvIHdyb25nID4mMjsgZXhpdCAzKgsIutqK2AYQipXzVA==',
  'GmEKR3NoYTI1NjpkMjgwOGExYmZmNGQzOGIzMDJmN2NkMGE0MzQ1NjA1NjdjOTJiYjBmN2I5ZWIxZmM5Zjk1NjkyN2U0YmVkZjk0EgwIutqK2AYQqbjQyQEYAiIGd3JvbmcK',
  'GmgKR3NoYTI1NjpkMjgwOGExYmZmNGQzOGIzMDJmN2NkMGE0MzQ1NjA1NjdjOTJiYjBmN2I5ZWIxZmM5Zjk1NjkyN2U0YmVkZjk0EgwIutqK2AYQ/sXdyQEYASINdW5pcXVlLTcKcGFydA==',
  'CtYCCkdzaGEyNTY6ZDI4MDhhMWJmZjRkMzhiMzAyZjdjZDBhNDM0NTYwNTY3YzkyYmIwZjdiOWViMWZjOWY5NTY5MjdlNGJlZGY5NBJHc2hhMjU2OjU2YmY1ZGNkMzhlZTJmNjBmNjQ2YjE1YjFiOTFlNDBiNWU4Mzc1YTQ1NzU3MmY4OTBlZGJjY2JkMTcxOTA4MTMaPlsyLzJdIFJVTiBlY2hvIHVuaXF1ZS03OyBwcmludGYgInBhcnQiOyBlY2hvIHdyb25nID4mMjsgZXhpdCAzKgsIutqK2AYQipXzVDIMCLraitgGEP2MhdYBOmdleGVjdXRvciBmYWlsZWQgcnVubmluZyBbL2Jpbi9zaCAtYyBlY2hvIHVuaXF1ZS03OyBwcmludGYgInBhcnQiOyBlY2hvIHdyb25nID4mMjsgZXhpdCAzXTogZXhpdCBjb2RlOiAz',
]

function follow(traces: readonly string[]) {
  const told: BuildProgress[] = []
  const log = followBuildKit((progress) => told.push(progress))
  for (const aux of traces) log.read({ id: 'moby.buildkit.trace', aux })
  return { told, failed: log.failedStep() }
}

const field = (number: number, content: string | Buffer | number): Buffer => {
  if (typeof content === 'number') return Buffer.from([number * 8, content])
  const bytes = Buffer.from(content)
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
}
const time = field(1, 5)

interface Told {
  readonly name?: string
  readonly isCached?: boolean
  readonly started?: boolean
  readonly completed?: boolean
  readonly error?: string
}

const vertex = (digest: string, { name = digest, isCached, started = true, completed, error }: Told): Buffer =>
  field(
    1,
    Buffer.concat([
      field(1, digest),
      field(3, name),
      ...(isCached ? [field(4, 1)] : []),
      ...(started ? [field(5, time)] : []),
      ...(completed ? [field(6, time)] : []),
      ...(error ? [field(7, error)] : []),
    ]),
  )
const log = (digest: string, text: string, stream = 1): Buffer =>
  field(3, Buffer.concat([field(1, digest), field(2, time), field(3, stream), field(4, text)]))
const trace = (...parts: readonly Buffer[]): string => Buffer.concat(parts).toString('base64')

describe("BuildKit's progress", () => {
  test('is read in the format of Engine 20.10', () => {
    const { told, failed } = follow(recorded)
    expect(told).toEqual([
      { kind: 'step', step: 1, total: 2, text: 'FROM docker.io/library/debian:bookworm-slim', isCached: true },
      { kind: 'step', step: 2, total: 2, text: expect.stringMatching(/^RUN echo unique-7/), isCached: false },
      { kind: 'output', line: 'wrong' },
      { kind: 'output', line: 'unique-7' },
      { kind: 'output', line: 'part' },
    ])
    expect(failed).toEqual({
      step: 2,
      total: 2,
      instruction: 'RUN echo unique-7; printf "part"; echo wrong >&2; exit 3',
      output: ['wrong', 'unique-7', 'part'],
    })
  })

  test('reports a step when it begins, and again when it was cached', () => {
    const name = '[2/3] RUN x'
    const { told } = follow([
      trace(vertex('a', { name, started: false })),
      trace(vertex('a', { name })),
      trace(vertex('a', { name })),
      trace(vertex('a', { name, isCached: true, completed: true })),
    ])
    expect(told).toMatchObject([
      { step: 2, isCached: false },
      { step: 2, isCached: true },
    ])
  })

  test('keeps the lines of parallel steps apart', () => {
    const { failed } = follow([
      trace(vertex('a', { name: '[one 2/2] RUN a' }), vertex('b', { name: '[two 2/2] RUN b' })),
      trace(log('a', 'a1\na'), log('b', 'b1\n'), log('a', 'wrong\n', 2), log('a', '2\n')),
      trace(vertex('b', { name: '[two 2/2] RUN b', error: 'context canceled' })),
      trace(vertex('a', { name: '[one 2/2] RUN a', error: 'exit code: 1', completed: true })),
    ])
    expect(failed).toMatchObject({ instruction: 'RUN a', output: ['a1', 'wrong', 'a2'] })
  })

  test("omits the builder's internal steps, unless they fail", () => {
    const name = '[internal] load metadata for docker.io/library/x:1'
    expect(follow([trace(vertex('a', { name }))]).told).toEqual([])
    expect(follow([trace(vertex('a', { name, error: 'no such host' }))]).failed).toMatchObject({
      step: undefined,
      instruction: name,
    })
  })

  test('may be empty', () => {
    expect(follow(['']).failed).toBeUndefined()
  })
})

test.each([
  ['[2/5] RUN x', 2, 5, 'RUN x'],
  ['[build 2/5] RUN x', 2, 5, 'RUN x'],
  ['[linux/arm64 build 2/5] RUN x', 2, 5, 'RUN x'],
  ['[internal] load build definition', undefined, undefined, '[internal] load build definition'],
  ['exporting to image', undefined, undefined, 'exporting to image'],
])('%s is read as a step', (name, step, total, text) => {
  expect(readName(name)).toMatchObject({ step, total, text })
})

test('steps of stages are numbered through the whole build', () => {
  const told: BuildProgress[] = []
  const dockerfileText = 'FROM x AS one\nRUN a\nRUN b\nFROM y\nCOPY --from=one /a /b\n'
  const log = followBuildKit((progress) => told.push(progress), countSteps({ dockerfileText }, false))
  const names = ['[one 1/3] FROM x', '[stage-1 1/2] FROM y', '[linux/arm64 one 3/3] RUN b', '[stage-1 2/2] COPY a']
  const vertexes = names.map((name) => vertex(name, { name }))
  const failed = vertex(names[3] ?? '', { name: names[3] ?? '', error: 'exit code: 1' })
  log.read({ id: 'moby.buildkit.trace', aux: trace(...vertexes, failed) })
  const steps = told.flatMap((one) => (one.kind === 'step' ? [`${one.step}/${one.total} ${one.text}`] : []))
  expect(steps).toEqual(['1/5 FROM x', '4/5 FROM y', '3/5 RUN b', '5/5 COPY a'])
  expect(log.failedStep()).toMatchObject({ step: 5, total: 5 })
})
