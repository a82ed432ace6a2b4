import { describe, expect, test } from 'vitest'
import { type Harness, readOutput, readUntil } from './harness.ts'

export function describeLogs(open: () => Harness): void {
  describe('a log', () => {
    test('has its first line, and separate streams', async () => {
      const { engine, start } = open()
      const id = await start({ command: ['sh', '-c', 'echo first; echo wrong >&2; echo last'] })
      await engine.waitContainer(id)
      const said = { stdout: 'first\nlast\n', stderr: 'wrong\n' }
      expect(await readOutput(engine.readLogs(id, { follow: false }))).toEqual(said)
    })

    test('that is followed ends with the container, and is complete', async () => {
      const { engine, start } = open()
      const id = await start({ command: ['sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; echo end >&2'] })
      const said = { stdout: '1\n2\n3\n4\n5\n', stderr: 'end\n' }
      expect(await readOutput(engine.readLogs(id, { follow: true }))).toEqual(said)
      expect((await engine.inspectContainer(id)).state).toBe('exited')
    })

    test('keeps long lines and multi-byte characters', async () => {
      const { engine, start } = open()
      const line = String.raw`print "x" x 100_000, "\n"; print STDERR "grüße, 日本\n" x 1000`
      const id = await start({ command: ['perl', '-e', line] })
      const { stdout, stderr } = await readOutput(engine.readLogs(id, { follow: true }))
      expect(stdout === `${'x'.repeat(100_000)}\n`).toBe(true)
      expect(stderr === 'grüße, 日本\n'.repeat(1000)).toBe(true)
    })

    test('can be limited to its last lines, and can have timestamps', async () => {
      const { engine, start } = open()
      const id = await start({ command: ['sh', '-c', 'seq 100'] })
      await engine.waitContainer(id)
      const read = async (more: object) => (await readOutput(engine.readLogs(id, { follow: false, ...more }))).stdout
      expect(await read({ tail: 2 })).toBe('99\n100\n')
      expect(await read({ timestamps: true })).toMatch(/^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \d+\n){100}$/)
    })

    test('that is followed waits for the first output', async () => {
      const { engine, start } = open()
      const id = await start({ command: ['sh', '-c', 'sleep 0.5; echo late; sleep infinity'] })
      expect(await readUntil(engine.readLogs(id, { follow: true }), 'late')).toBe('late\n')
    })
  })
}
