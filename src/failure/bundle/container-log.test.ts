import { expect, test } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { OutputChunk } from '../../model/container.ts'
import { createMask } from '../mask.ts'
import { readContainerLog } from './container-log.ts'

const time = '2026-11-24T09:13:26.632850942Z'

/** Reads the log of an engine that has only this output. */
async function read(
  chunks: readonly (readonly [OutputChunk['stream'], string])[],
  secrets: string[],
): Promise<string[]> {
  const engine = {
    async *readLogs() {
      for (const [stream, text] of chunks) yield { stream, bytes: Buffer.from(text) }
    },
  } as unknown as Engine
  const lines: string[] = []
  for await (const line of readContainerLog('1f', engine, createMask(secrets), {})) lines.push(line)
  return lines
}

test('log lines have their time and stream, however the chunks are cut', async () => {
  const lines = await read(
    [
      ['stdout', `${time} on`],
      ['stderr', `${time} warn\n`],
      ['stdout', `e\r\n${time} two`],
    ],
    [],
  )
  expect(lines).toEqual([`${time} stderr warn`, `${time} stdout one`, `${time} stdout two`])
})

test('a secret is masked across chunks, and where the engine splits long lines', async () => {
  const long = 'x'.repeat(16_380)
  const lines = await read(
    [
      ['stdout', `${time} key s3cr`],
      ['stdout', `et-value\n`],
      // Format of Docker 20.10, seen with a line of 20,000 characters.
      ['stdout', `${time} ${long}s3cr${time} et-value\n`],
    ],
    ['s3cret-value'],
  )
  expect(lines).toEqual([`${time} stdout key ***`, `${time} stdout ${long}***`])
})

test('an endless line is cut, and no part of a secret remains at the cut', async () => {
  const secret = 's3cret-value'
  const [line = ''] = await read(
    [['stdout', `${time} ${'x'.repeat(1024 * 1024 + 1 - 6)}${secret}${'y'.repeat(5_000_000)}`]],
    [secret],
  )
  expect(line).not.toContain('s3c')
  expect(line.length).toBeLessThan(1024 * 1024 + 200)
  expect(line).toMatch(/\[cut: the line has more than 1048576 characters\]$/)
})
