import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { runAtTerminal } from '../support/terminal.ts'

const image = 'debian:bookworm-slim'
let fleet: StoryFleet

beforeAll(async () => {
  fleet = await makeFleet({ web: { image, command: ['sleep', 'infinity'] } })
  await fleet.done(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/** Prints the size of the terminal, now and when it changes, and what Ctrl-C does, until a line comes. */
const script = [
  'trap "echo caught" INT; trap "stty size" WINCH',
  'until [ "$(stty size)" != "0 0" ]; do sleep 0.05; done; echo "size $(stty size)"',
  // A `read` whose time is up in the middle of a line keeps what it has read so far.
  'until read -t 0.1 -r part; do line=$line$part; done; echo "got $line$part in $PWD as $(id -un) with $A"; exit 7',
].join('\n')

describe.concurrent('exec at a terminal', () => {
  test('passes on keys, Ctrl-C and the size, and restores the terminal', async () => {
    const words = ['exec', '-it', '-e', 'A=a b', '-w', '/tmp', '-u', 'nobody', 'web', '--', 'bash', '-c', script]
    const result = await runAtTerminal(words, fleet.folder, [
      { wait: 'size 24 80' },
      { resize: [33, 101] },
      { wait: '33 101' },
      { send: '\x03' },
      { wait: 'caught' },
      { send: 'hello\r' },
    ])
    expect(result).toMatchObject({ exitCode: 7, wasRaw: true, isCooked: true })
    expect(result.output).toContain('got hello in /tmp as nobody with a b\r\n')
  })

  test('restores the terminal when a signal ends exec', async () => {
    const steps = [{ wait: 'begun' }, { send: 'x' }, { signal: 'SIGTERM' }] as const
    const result = await runAtTerminal(['exec', 'web', '--', 'sh', '-c', 'echo begun; sleep 600'], fleet.folder, steps)
    expect(result).toMatchObject({ exitCode: 143, wasRaw: true, isCooked: true })
  })

  test('refuses -t without a terminal', async () => {
    const { exitCode, stderr } = await fleet.call(['exec', '-it', 'web', '--', 'true'])
    expect([exitCode, stderr]).toEqual([
      2,
      'error: --tty needs a terminal, and standard input is not one\nhint: Omit -t; -i alone passes on standard input.\n',
    ])
  })
})
