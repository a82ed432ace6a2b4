import { expect, test } from 'vitest'
import type { ExecProcess } from '../../engine/engine.ts'
import type { OutputChunk } from '../../model/container.ts'
import { openProcess } from './spawn.ts'

/** A command with this output, that runs until it is ended where `end` is not given. */
function run(chunks: readonly Uint8Array[], end?: number) {
  const killed = new AbortController()
  const written: string[] = []
  const never = new Promise<never>((_, reject) => {
    killed.signal.addEventListener('abort', () => reject(killed.signal.reason))
  })
  never.catch(() => {})
  async function* output(): AsyncGenerator<OutputChunk> {
    for (const bytes of chunks) yield { stream: 'stdout', bytes }
    if (end === undefined) await never
  }
  const running: ExecProcess = {
    output: output(),
    exitCode: async () => end ?? never,
    write: async (bytes) => void written.push(Buffer.from(bytes).toString()),
    endInput: () => void written.push('END'),
    resize: async () => {},
  }
  return { process: openProcess(running, killed), written }
}

test('output can be read as bytes, and as text whose characters are never split', async () => {
  const { process, written } = run([Buffer.from([0xc3]), Buffer.from([0xb6, 0x0a])], 3)
  const texts: string[] = []
  for await (const { text } of process.output) texts.push(text)
  expect(texts.join('')).toBe('ö\n')
  expect(await process.exitCode).toBe(3)
  await process.write('a')
  process.end()
  expect(written).toEqual(['a', 'END'])
})

test('a command that is killed ends its output, and has the exit code of SIGTERM', async () => {
  const { process } = run([Buffer.from('a')])
  const texts: string[] = []
  for await (const { text } of process.output) {
    texts.push(text)
    void process.kill()
  }
  expect([texts, await process.exitCode]).toEqual([['a'], 143])
})

test('await using ends the command', async () => {
  const { process } = run([])
  {
    await using _ = process
  }
  expect(await process.exitCode).toBe(143)
})
