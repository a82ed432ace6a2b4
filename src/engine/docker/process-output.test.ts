import { expect, test } from 'vitest'
import type { OutputChunk } from '../../model/container.ts'
import { asStdout, demultiplex } from './process-output.ts'

const frame = (kind: number, content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content)
  const header = Buffer.alloc(8)
  header.writeUInt8(kind, 0)
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

async function* inPieces(bytes: Buffer, sizes: (at: number) => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.max(1, sizes(at))
    yield bytes.subarray(at, end)
    at = end
  }
}

async function collect(chunks: AsyncIterable<OutputChunk>): Promise<{ stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  for await (const { stream, bytes } of chunks) said[stream] += Buffer.from(bytes).toString('latin1')
  return said
}

const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
const whole = Buffer.concat([frame(1, 'one\n'), frame(2, ''), frame(2, 'two'), frame(1, binary), frame(2, 'three')])
const expected = { stdout: `one\n${binary.toString('latin1')}`, stderr: 'twothree' }

test('frames are read wherever the connection splits them', async () => {
  for (let first = 0; first <= whole.length; first++) {
    const pieces = inPieces(whole, (at) => (at === 0 ? first : whole.length))
    expect(await collect(demultiplex(pieces))).toEqual(expected)
  }
})

test('frames are read byte by byte', async () => {
  expect(await collect(demultiplex(inPieces(whole, () => 1)))).toEqual(expected)
})

test('a part of a frame is returned at once', async () => {
  const chunks = demultiplex(
    (async function* () {
      yield frame(1, 'abcdef').subarray(0, 11)
      await new Promise(() => {})
    })(),
  )
  expect((await chunks.next()).value).toMatchObject({ stream: 'stdout', bytes: Buffer.from('abc') })
})

test("the engine's own error is thrown after the output before it", async () => {
  const chunks = demultiplex(inPieces(Buffer.concat([frame(1, 'said'), frame(3, 'error from daemon\n')]), () => 5))
  const said: string[] = []
  const reading = (async () => {
    for await (const { bytes } of chunks) said.push(Buffer.from(bytes).toString())
  })()
  await expect(reading).rejects.toMatchObject({ code: 'ENGINE_REFUSED', message: 'error from daemon' })
  expect(said.join('')).toBe('said')
})

test.each([3, 8, 10])('output that ends after %i bytes of a frame fails with ENGINE_LOST', async (length) => {
  const cut = inPieces(frame(1, 'abcdef').subarray(0, length), () => 100)
  await expect(collect(demultiplex(cut))).rejects.toMatchObject({ code: 'ENGINE_LOST' })
})

test('a terminal has no frames', async () => {
  expect(await collect(asStdout(inPieces(binary, () => 7)))).toEqual({ stdout: binary.toString('latin1'), stderr: '' })
})
