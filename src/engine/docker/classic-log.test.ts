import { expect, test } from 'vitest'
import type { BuildProgress } from '../image-types.ts'
import { followClassic } from './classic-log.ts'

function follow(streams: readonly string[], error?: string) {
  const told: BuildProgress[] = []
  const log = followClassic((progress) => told.push(progress))
  for (const stream of streams) log.read({ stream })
  if (error !== undefined) log.read({ error, errorDetail: { message: error } })
  return { told, failed: log.failedStep() }
}

const step = (number: number | undefined, text: string, isCached = false) => ({
  kind: 'step',
  step: number,
  total: undefined,
  text,
  isCached,
})

test("steps are numbered as BuildKit does, and the builder's own lines are left out", () => {
  const { told } = follow([
    'Step 1/5 : FROM debian AS one',
    '\n',
    ' ---> 179a0ed5bb3e\n',
    'Step 2/5 : ENV A=1',
    '\n',
    ' ---> Using cache\n',
    ' ---> 76adcb052015\n',
    'Step 3/5 : RUN echo hi',
    '\n',
    ' ---> Running in 2f2e863438da\n',
    'hi\n',
    '\u001b[91merr\n\u001b[0m',
    'Removing intermediate container 2f2e863438da\n',
    ' ---> 5333c1fbdfb4\n',
    'Step 4/5 : FROM one\n',
    ' ---> 5333c1fbdfb4\n',
    'Step 5/5 : COPY a b\n',
    ' ---> Using cache\n',
    'Successfully built 5333c1fbdfb4\n',
    'Successfully tagged x:1\n',
  ])
  expect(told).toEqual([
    step(1, 'FROM debian AS one'),
    step(undefined, 'ENV A=1', true),
    step(2, 'RUN echo hi'),
    { kind: 'output', line: 'hi' },
    { kind: 'output', line: 'err' },
    step(1, 'FROM one'),
    step(2, 'COPY a b', true),
  ])
})

test('a failed step has only its own output', () => {
  const { told, failed } = follow(
    ['Step 1/2 : FROM x\n', ' ---> 1\n', 'Step 2/2 : RUN false\n', ' ---> Running in 2\n', 'said\n', 'half'],
    "The command '/bin/sh -c false' returned a non-zero code: 1",
  )
  expect(failed).toEqual({ step: 2, total: undefined, instruction: 'RUN false', output: ['said', 'half'] })
  expect(told).toContainEqual({ kind: 'output', line: 'half' })
})

test('a step that fails without output is reported', () => {
  const { told, failed } = follow(['Step 1/1 : FROM nosuch\n'], 'pull access denied')
  expect(told).toEqual([step(1, 'FROM nosuch')])
  expect(failed).toMatchObject({ step: 1, instruction: 'FROM nosuch' })
})

test('an unfinished line is reported when the builder continues', () => {
  const { told } = follow([
    'Step 1/2 : RUN x\n',
    ' ---> Running in 1\n',
    'half',
    ' a line',
    'Removing intermediate container 1\n',
  ])
  expect(told).toEqual([step(1, 'RUN x'), { kind: 'output', line: 'half a line' }])
})

test("Podman's steps are read too", () => {
  const { told } = follow(['STEP 1/2: FROM debian\n', 'STEP 2/2: RUN echo x\n', '--> Using cache 1f2e\n', '--> 1f2e\n'])
  expect(told).toContainEqual(step(2, 'RUN echo x', true))
})
