import { expect, test } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { OutputChunk } from '../../model/container.ts'
import { createMask } from '../mask.ts'
import { readContainerLog } from './container-log.ts'

const time = '2026-11-24T09:13:26.632850942Z'

/** An engine that has only this to read. */
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

test('a log has its lines with time and stream, however it comes', async () => {
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

test('a secret is found where chunks are cut, and where the engine cuts long lines', async () => {
  const long = 'x'.repeat(16_380)
  const lines = await read(
    [
      ['stdout', `${time} key s3cr`],
      ['stdout', `et-value\n`],
      // As Docker 20.10 does it, seen with a line of 20,000 characters.
      ['stdout', `${time} ${long}s3cr${time} et-value\n`],
    ],
    ['s3cret-value'],
  )
  expect(lines).toEqual([`${time} stdout key ***`, `${time} stdout ${long}***`])
})

test('a line without an end is cut, and no part of a secret stays at the cut', async () => {
  const secret = 's3cret-value'
  const [line = ''] = await read(
    [['stdout', `${time} ${'x'.repeat(1024 * 1024 + 1 - 6)}${secret}${'y'.repeat(5_000_000)}`]],
    [secret],
  )
  expect(line).not.toContain('s3c')
  expect(line.length).toBeLessThan(1024 * 1024 + 200)
  expect(line).toMatch(/\[cut: the line has more than 1048576 characters\]$/)
})
