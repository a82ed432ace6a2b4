import { expect, test } from 'vitest'
import { explainBuild } from './build.ts'

const run = { step: 2, total: 5, instruction: 'RUN exit 3', output: [] }

test.each([
  ['BuildKit 20.10', 'executor failed running [/bin/sh -c exit 3]: exit code: 3'],
  ['BuildKit 28', 'failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3'],
  ['classic', "The command '/bin/sh -c exit 3' returned a non-zero code: 3"],
  ['Podman 4.3', 'building at STEP "RUN exit 3": while running runtime: exit status 3'],
])('a command that fails is told by its step and code (%s)', (_, words) => {
  expect(explainBuild(words, run).message).toBe('step 2 of 5 failed, RUN exit 3: exit code 3')
})

test('a long instruction is cut', () => {
  const instruction = `RUN ${'x'.repeat(500)}\n  && y`
  expect(explainBuild('exit', { ...run, instruction }).message.length).toBeLessThan(150)
})

test('a mistake in the text is told without the chain of what failed', () => {
  const words =
    'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: BOGUS'
  expect(explainBuild(words, undefined).message).toBe('dockerfile parse error line 2: unknown instruction: BOGUS')
})

test.each([
  [
    'BuildKit',
    'failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request: Head "https://registry-1.docker.io/v2/library/nosuch/manifests/1": dial tcp: lookup registry-1.docker.io: no such host',
    { ...run, step: undefined, instruction: '[internal] load metadata for docker.io/library/nosuch:1' },
  ],
  [
    'classic',
    'pull access denied for nosuch, repository does not exist',
    { ...run, step: 1, instruction: 'FROM nosuch:1 AS x' },
  ],
])('a base that is missing is named (%s)', (_, words, failed) => {
  const { message, hint } = explainBuild(words, failed)
  expect(message).toContain('the base image nosuch:1 is not there')
  expect(hint).toBeDefined()
})

test('a file that is missing is named', () => {
  const copy = { step: 3, total: 3, instruction: 'COPY nosuch /', output: [] }
  const words = 'failed to compute cache key: "/nosuch" not found: not found'
  expect(explainBuild(words, copy).message).toBe('step 3 of 3 failed, COPY nosuch /: "/nosuch" not found: not found')
})
