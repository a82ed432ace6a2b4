import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { mainFile, removeFleetFolders, runTestfleet, SOON_MS, startTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wideIf } from '../support/tiers.ts'

/** `join` is used here, as it is quick; `run` starts its command in the same way. */
let fleet: StoryFleet

beforeAll(async () => {
  fleet = await makeFleet({ web: { image: 'debian:bookworm-slim', command: ['sleep', '600'] } })
  await fleet.done(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/** How many programs of this machine have this argument. */
async function count(argument: string): Promise<number> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(numbers.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.split('\0').includes(argument)).length
}

describe.concurrent('a command', () => {
  for (const names of ['auto', 'none'])
    test(
      `has the descriptors that its caller opened for it, with --names ${names}`,
      wideIf(names === 'none'),
      async () => {
        const jobServer = 'exec 8<> <(:) 9>&8; printf + >&9'
        const open = `${jobServer}; "$@" 5<<< five 12<<< twelve 40<<< forty`
        const script = 'cat <&5; cat <&12; cat <&40; head -c 1 <&8; test ! -e /dev/fd/3'
        const call = await fleet.done(['join', '--names', names, '--', 'bash', '-c', script], {
          prefix: ['bash', '-c', open, 'bash'],
          env: { MAKEFLAGS: '-j2 --jobserver-auth=8,9' },
        })
        expect(call.stdout).toBe('five\ntwelve\nforty\n+')
      },
    )

  const trees: Record<string, string> = {
    'a program and its children': 'sleep 31418.N & sh -c "sleep 31418.N; :" & wait',
    'a program that ignores all other signals': 'trap "" TERM INT HUP; while :; do sleep 31418.N; done',
    'a job whose parent has ended': 'sh -c "sleep 31418.N &"; env -i sh -c "sleep 31418.N; :" & wait',
    'a program that has left its process group and session': 'setsid sleep 31418.N & setsid -w sleep 31418.N',
  }
  for (const [index, title] of Object.keys(trees).entries())
    test(`ends when testfleet is killed: ${title}`, wideIf(index === 1), async () => {
      const argument = `31418.${index}`
      const script = trees[title]?.replaceAll('31418.N', argument) ?? ''
      const running = startTestfleet(['join', '--', 'sh', '-c', script], { cwd: fleet.folder })
      await vi.waitFor(async () => expect(await count(argument)).toBeGreaterThan(0), { timeout: SOON_MS })
      running.kill('SIGKILL')
      await vi.waitFor(async () => expect(await count(argument)).toBe(0), { timeout: SOON_MS })
    })

  test('does not take keepers of other testfleet calls with it when it is ended', async () => {
    const keeper = (word: string) => `bash -c "exec -a ${word} sleep 31422" &`
    const script = `${keeper('--outlives-its-starter')} ${keeper('--other')} wait`
    const running = startTestfleet(['join', '--', 'sh', '-c', script], { cwd: fleet.folder })
    await vi.waitFor(async () => expect(await count('31422')).toBe(2), { timeout: SOON_MS })
    running.kill('SIGKILL')
    await vi.waitFor(async () => expect(await count('--other')).toBe(0), { timeout: SOON_MS })
    const { stdout } = await runTestfleet([], {
      prefix: ['pgrep', '-xf', '--', '--outlives-its-starter 31422'],
      isBare: true,
    })
    expect(stdout).toMatch(/^\d+\n$/)
    process.kill(Number(stdout), 'SIGKILL')
  })

  test('ends when a second signal ends testfleet', async () => {
    const script = 'trap "" TERM; sleep 31419 & while :; do sleep 31419; done'
    const running = startTestfleet(['join', '--', 'sh', '-c', script], { cwd: fleet.folder })
    await vi.waitFor(async () => expect(await count('31419')).toBe(2), { timeout: SOON_MS })
    // Two that come at once are one.
    const signals = setInterval(() => running.kill('SIGTERM'), 300)
    const { exitCode } = await running.result.finally(() => clearInterval(signals))
    expect(exitCode).toBe(143)
    await vi.waitFor(async () => expect(await count('31419')).toBe(0), { timeout: SOON_MS })
  })

  test('that ends by itself leaves its background programs alone', async () => {
    const script = 'setsid sleep 31420 > /dev/null 2>&1 & echo $!'
    const { stdout } = await fleet.done(['join', '--', 'sh', '-c', script])
    expect(await count('31420')).toBe(1)
    process.kill(Number(stdout), 'SIGKILL')
  })
})

// The command of a clone reads which signals are ignored; it needs a build.
describe.skipIf(!mainFile.endsWith('.cjs')).concurrent('a signal that the caller ignores', () => {
  const launcher = join(import.meta.dirname, '../../bin/testfleet')

  test.each([
    ['SIGHUP', 'HUP', '0000000000000001'],
    ['SIGINT', 'INT QUIT', '0000000000000006'],
  ] as const)('stays ignored in the command: %s', async (signal, names, mask) => {
    const script = 'grep SigIgn /proc/self/status; read -r _ < go; echo done; env | grep -c SIGIGN'
    const fifo = await runTestfleet([], { prefix: ['mkfifo', `go-${signal}`], isBare: true, cwd: fleet.folder })
    expect(fifo.exitCode).toBe(0)
    const call = ['join', '--', 'sh', '-c', script.replace('go', `go-${signal}`)]
    const running = startTestfleet([], {
      prefix: ['sh', '-c', `trap '' ${names}; exec "$@"`, 'sh', launcher, ...call],
      isBare: true,
      cwd: fleet.folder,
    })
    await running.waitForOutput(/SigIgn/)
    running.killGroup(signal)
    await runTestfleet([], { prefix: ['sh', '-c', `echo > go-${signal}`], isBare: true, cwd: fleet.folder })
    const { stdout } = await running.result
    expect(stdout).toBe(`SigIgn:\t${mask}\ndone\n0\n`)
  })
})

// The shell of a clone's command drops them.
test.skipIf(!mainFile.endsWith('.cjs'))(
  'variables with any name reach the command, including exported functions of bash',
  async () => {
    const launcher = join(import.meta.dirname, '../../bin/testfleet')
    const script = 'f() { echo "f: $1"; }; export -f f; exec env A-B=1 "a.b=x\ny" "$@"'
    const inner = 'f x; env | grep -A1 -E "^(A-B|a.b)="; env | grep -c DROPPED'
    const { stdout } = await runTestfleet([], {
      prefix: ['bash', '-c', script, 'bash', launcher, 'join', '--', 'bash', '-c', inner],
      isBare: true,
      cwd: fleet.folder,
    })
    expect(stdout.split('\n').toSorted()).toEqual(['', '0', 'A-B=1', 'a.b=x', 'f: x', 'y'])
  },
)
