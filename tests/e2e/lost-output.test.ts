import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders, runTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wideIf } from '../support/tiers.ts'

/** Starts the command after it with one of its streams at a device that is always full. */
const full = (stream: '1' | '2') => ['sh', '-c', `exec "$@" ${stream}> /dev/full`, 'sh']

let fleet: StoryFleet

beforeAll(async () => {
  fleet = await makeFleet({ base: { image: 'debian:bookworm-slim', command: ['sleep', '600'] } })
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

describe('a result that cannot be written', () => {
  for (const words of [['schema'], ['version'], ['help'], ['presets', '--json']]) {
    test(
      `is reported in one line, with exit code 1: testfleet ${words.join(' ')}`,
      wideIf(words[0] !== 'schema'),
      async () => {
        expect(await runTestfleet(words, { prefix: full('1') })).toMatchObject({
          exitCode: 1,
          stderr: 'error: cannot write the result: no space left on device\n',
        })
      },
    )
  }

  test('is also reported when the output file may not grow', async () => {
    const file = join(fleet.folder, 'schema.json')
    const prefix = ['sh', '-c', 'file=$1; shift; ulimit -f 1; exec "$@" > "$file"', 'sh', file]
    expect(await runTestfleet(['schema'], { prefix })).toMatchObject({
      exitCode: 1,
      stderr: 'error: cannot write the result: file too large\n',
    })
    expect(await readFile(file, 'utf8')).toMatch(/^\{\n/)
  })

  test('does not change the exit code of a call that failed', async () => {
    expect(await fleet.call(['up', 'nosuch', '--json'], { prefix: full('1') })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: .*nosuch.*error: cannot write the result: no space left on device\n$/s),
    })
  })

  test('is reported with the state of the session', async () => {
    expect(await fleet.call(['up', '--json', '--quiet'], { prefix: full('1') })).toMatchObject({
      exitCode: 1,
      stderr:
        'error: cannot write the result: no space left on device\n' +
        'hint: The session is up. Run `testfleet endpoints` to print its addresses, or `testfleet down` to remove it.\n',
    })
    expect(await fleet.report()).toMatchObject({ servers: { base: { state: 'ready' } } })
    const endless = ['exec', 'base', '--', 'sh', '-c', 'while echo y; do :; done']
    expect(await fleet.call(endless, { prefix: full('1') })).toMatchObject({ exitCode: 1 })
    expect(await fleet.call(['down', '--quiet'], { prefix: full('1') })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('hint: The work is done; only its report is missing.\n'),
    })
    expect(await fleet.call(['ps'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no session') })
  })
})

test('progress that cannot be written is skipped, and the work goes on', async () => {
  const { exitCode, stdout } = await fleet.call(['up', '--verbose'], { prefix: full('2') })
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('base') })
  const loud = ['exec', 'base', '--', 'sh', '-c', 'head -c 3000000 /dev/zero >&2; echo done']
  expect(await fleet.call(loud, { prefix: full('2') })).toMatchObject({ exitCode: 0, stdout: 'done\n' })
  await fleet.done(['down'])
})
