import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { openOutputPipes } from './read-streams.ts'

test('all that a program writes is passed on, also by /dev/stderr and by a program that it leaves running', async () => {
  const written = { stdout: '', stderr: '', ends: 0 }
  const pipes = await openOutputPipes({
    stdout(bytes) {
      written.stdout += bytes
    },
    stderr(bytes) {
      written.stderr += bytes
    },
    end() {
      written.ends += 1
    },
  })
  const script = 'echo one; echo two > /dev/stderr; head -c 300000 /dev/zero; (sleep 0.05; echo three) &'
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', ...pipes.stdio] })
  const drain = pipes.read(child)
  await new Promise((resolve) => child.once('exit', resolve))
  await drain()
  expect(written).toEqual({ stdout: `one\n${'\0'.repeat(300_000)}three\n`, stderr: 'two\n', ends: 1 })
})
