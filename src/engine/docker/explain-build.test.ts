import { expect, test } from 'vitest'
import { speakAs } from '../../model/surface.ts'
import { explainBuild } from './build.ts'

// Messages are quoted as the command words them.
speakAs('command')

const run = { step: 2, total: 5, instruction: 'RUN exit 3', output: [] }

test.each([
  ['BuildKit 20.10', 'executor failed running [/bin/sh -c exit 3]: exit code: 3'],
  ['BuildKit 28', 'failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3'],
  ['classic', "The command '/bin/sh -c exit 3' returned a non-zero code: 3"],
  ['Podman 4.3', 'building at STEP "RUN exit 3": while running runtime: exit status 3'],
])('a failed command is reported with its step and exit code (%s)', (_, words) => {
  expect(explainBuild(words, run).message).toBe('step 2 of 5 failed, RUN exit 3: exit code 3')
})

test('a long instruction is cut', () => {
  const instruction = `RUN ${'x'.repeat(500)}\n  && y`
  expect(explainBuild('exit', { ...run, instruction }).message.length).toBeLessThan(150)
})

test('a syntax error is reported without the chain of wrapping errors', () => {
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
])('a missing base image is named (%s)', (_, words, failed) => {
  const { message, hint } = explainBuild(words, failed)
  expect(message).toContain('the base image nosuch:1 does not exist locally')
  expect(hint).toBeDefined()
})

test('a missing file is named', () => {
  const copy = { step: 3, total: 3, instruction: 'COPY nosuch /', output: [] }
  const words = 'failed to compute cache key: "/nosuch" not found: not found'
  expect(explainBuild(words, copy).message).toBe('step 3 of 3 failed, COPY nosuch /: "/nosuch" not found: not found')
})

const disk = "the engine's disk is full (no space left on device)"

test.each([
  [
    'BuildKit',
    'failed to copy files: copy file range failed: no space left on device',
    2,
    `step 2 of 5 failed, RUN exit 3: ${disk}`,
  ],
  ['classic', 'Error processing tar file(exit status 1): write /large: no space left on device', undefined, disk],
  ['a quota', 'write /var/lib/docker/tmp/x: disk quota exceeded', undefined, disk],
])('a full disk is reported in one sentence with a hint (%s)', (_, words, step, message) => {
  const explained = explainBuild(words, { ...run, step })
  expect(explained.message).toBe(message)
  expect(explained.hint).toMatch(/docker system df.*testfleet prune --images/)
})

test('a step whose program reports a full disk gets the same hint', () => {
  const output = ['Unpacking x', 'tar: a: Cannot write: No space left on device', 'tar: Exiting']
  const explained = explainBuild('exit code: 2', { ...run, output })
  expect(explained.message).toBe('step 2 of 5 failed, RUN exit 3: exit code: 2')
  expect(explained.hint).toContain('docker system df')
})

test.each([
  'failed to create inotify watch: no space left on device',
  'write /sys/fs/cgroup/cpuset/x/cpuset.mems: no space left on device',
  'join session keyring: create session key: disk quota exceeded',
])('another exhausted kernel resource is not reported as a full disk: %s', (words) => {
  expect(explainBuild(words, undefined)).toEqual({ message: words, hint: undefined })
})
