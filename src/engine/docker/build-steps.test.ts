import { describe, expect, test } from 'vitest'
import type { BuildProgress } from '../image-types.ts'
import { countSteps } from './build-steps.ts'
import { followClassic } from './classic-log.ts'

const dockerfile = [
  'ARG BASE=two',
  'FROM debian AS one',
  'ENV A=1',
  'RUN first',
  'WORKDIR /w',
  'FROM debian AS unused',
  'RUN never',
  'FROM one AS Two',
  'RUN second',
  'FROM $BASE AS three',
  'COPY --chown=1 --from=0 a b',
  'LABEL a=b',
  'FROM scratch',
  'COPY --from=three /a /b',
  'RUN --mount=type=bind,from=two,target=/x \\',
  '  third',
].join('\n')

const numbersOf = (request: { target?: string; args?: Record<string, string> }, isWhole = false) =>
  countSteps({ dockerfileText: dockerfile, ...request }, isWhole)

describe('the steps of a build', () => {
  test.each([
    ['the needed stages', {}, false, 7],
    ['the whole file', {}, true, 9],
    ['up to a target', { target: 'two' }, false, 4],
    ['up to a target by number', { target: '3' }, false, 5],
    ['up to a target, including stages that it does not need', { target: 'TWO' }, true, 6],
    ['with another base', { target: 'three', args: { BASE: 'debian' } }, false, 5],
    ['of an unknown target', { target: 'nosuch' }, false, undefined],
  ])('are counted: %s', (_, request, isWhole, total) => {
    expect(numbersOf(request, isWhole).total).toBe(total)
  })

  test('are numbered consecutively through all stages', () => {
    const { numberOf } = numbersOf({})
    const steps = [
      ['one', 1],
      ['one', 3],
      ['two', 1],
      ['three', 1],
      ['stage-4', 1],
      ['stage-4', 2],
    ] as const
    expect(steps.map(([stage, step]) => numberOf(stage, step))).toEqual([1, 3, 4, 5, 6, 7])
  })

  test('keep their numbers in a Dockerfile of one stage, or in an unknown one', () => {
    expect(countSteps({ dockerfileText: 'FROM x\nRUN y' }, false)).toMatchObject({ total: 2 })
    expect(countSteps({ dockerfileText: 'FROM x\nRUN y' }, false).numberOf(undefined, 2)).toBe(2)
    expect(countSteps({}, false).numberOf('one', 2)).toBe(2)
    expect(countSteps({ dockerfileText: 'nothing' }, true)).toMatchObject({ total: undefined })
  })
})

test.each([
  ['Docker', (_stage: number, line: number, text: string) => `Step ${line}/14 : ${text}\n`],
  ['Podman', (stage: number, line: number, text: string) => `[${stage}/5] STEP ${line}/4: ${text}\n`],
])('the steps of the classic builder are numbered through all stages (%s)', (_, format) => {
  const told: BuildProgress[] = []
  const log = followClassic((progress) => told.push(progress), numbersOf({}, true))
  let [stage, line] = [0, 0]
  for (const text of dockerfile.replace('\\\n', '').split('\n').slice(1)) {
    if (text.startsWith('FROM')) stage += 1
    line += 1
    log.read({ stream: format(stage, line, text) })
    log.read({ stream: ' ---> 1f2e\n' })
  }
  const shown = told.flatMap((one) =>
    one.kind === 'step' && one.step !== undefined ? [`${one.step}/${one.total}`] : [],
  )
  expect(shown).toEqual(['1/9', '2/9', '3/9', '4/9', '5/9', '6/9', '7/9', '8/9', '9/9'])
  expect(log.failedStep()).toMatchObject({ step: 9, total: 9, instruction: expect.stringMatching(/third$/) })
})
