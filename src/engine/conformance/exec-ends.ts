import { describe, expect, test, vi } from 'vitest'
import { TestfleetError } from '../../model/failures.ts'
import type { ExecRequest } from '../engine.ts'
import { type Harness, readOutput } from './harness.ts'

/** Longer than any test; each test uses another number of seconds. */
const FOREVER = 31_415
const SOON_MS = 60_000

/** Shell text, in which $1 is a number that no other program uses. */
const programs: Record<string, { readonly text: string } & Partial<ExecRequest>> = {
  'a single program': { text: 'exec sleep $1' },
  'a program with its children': { text: 'sleep $1 & sh -c "sleep $1; :" & wait' },
  'a program that ignores every signal it can': { text: 'trap "" TERM INT HUP; while :; do sleep $1; done' },
  'a program without an environment': { text: 'exec env -i sleep $1' },
  'a program that left its session': { text: 'setsid sleep $1 & exec setsid -w sleep $1' },
  'a program that reads input': { text: 'sleep $1 & cat', stdin: true },
  'a program with a terminal': { text: 'sleep $1 & cat', stdin: true, tty: { rows: 24, columns: 80 } },
  'a program of another user': { text: 'sleep $1 & exec sleep $1', user: '33' },
  'a program that prints without end': { text: 'sleep $1 & exec yes' },
  'a program with a line break in its name': {
    text: 'name=$(printf "/tmp/two\\nlines") && ln -s /bin/sleep "$name" && exec "$name" $1',
  },
}

export function describeExecEnds(open: () => Harness): void {
  /** Counts the programs in the container that have this number as an argument. */
  const count = async (id: string, number: string): Promise<number> => {
    const look =
      'undef $/; for (</proc/[0-9]*/cmdline>) { open my $f, "<", $_ or next; $n++ if grep { $_ eq $ENV{N} } split /\\0/, <$f> // "" } print $n // 0'
    const process = await open().engine.exec(id, { command: ['perl', '-e', look], environment: { N: number } })
    return Number((await readOutput(process.output)).stdout)
  }

  const start = async (title: string, signal?: AbortSignal) => {
    const { text, ...request } = programs[title] ?? { text: '' }
    const number = String(FOREVER + Object.keys(programs).indexOf(title) + (signal === undefined ? 1000 : 0))
    const id = await open().idle()
    const command = ['sh', '-c', text, 'sh', number]
    const process = await open().engine.exec(id, { ...request, command }, { signal })
    await vi.waitFor(async () => expect(await count(id, number)).toBeGreaterThan(0), { timeout: SOON_MS })
    return { id, number, process }
  }

  describe.concurrent('a command and all programs that it started are ended', () => {
    for (const [index, title] of Object.keys(programs).entries())
      test(`by an abort: ${title}`, index < 2 ? {} : { tags: ['wide'] }, async () => {
        const abort = new AbortController()
        const reason = new Error('enough')
        const { id, number, process } = await start(title, abort.signal)
        const ended = expect(process.exitCode()).rejects.toBe(reason)
        abort.abort(reason)
        await ended
        expect(await count(id, number)).toBe(0)
      })

    test('by a reader that stops early', async () => {
      const { id, number, process } = await start('a program that prints without end')
      for await (const _ of process.output) break
      expect(await count(id, number)).toBe(0)
    })
  })

  test('by an abort, which leaves other commands alone', async () => {
    const abort = new AbortController()
    const { id, number } = await start('a single program')
    const other = await open().engine.exec(id, { command: ['sleep', '100'] }, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(other.exitCode()).rejects.toThrow('enough')
    expect(await count(id, number)).toBe(1)
  })

  test('without a shell in the container, or reported as still running', async () => {
    const { engine, start } = open()
    const id = await start()
    await (await engine.exec(id, { command: ['rm', '/usr/bin/sh'] })).exitCode()
    const abort = new AbortController()
    const reason = new TestfleetError('CANCELLED', 'enough')
    const process = await engine.exec(id, { command: ['sleep', '31499'] }, { signal: abort.signal })
    abort.abort(reason)
    await expect(process.exitCode()).rejects.toBe(reason)
    if ((await count(id, '31499')) === 0) expect(reason.leftovers).toBeUndefined()
    else
      expect(reason.leftovers).toMatch(
        /^sleep 31499 is still running in the container \w{12}: its container has no shell/,
      )
  })
}
