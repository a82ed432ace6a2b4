import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { connectLender, startLender } from './client.ts'
import { serveLender } from './serve-lender.ts'

const root = mkdtempSync(join(tmpdir(), 'client-'))
const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
  rmSync(root, { recursive: true })
})

/** Starts to listen at a path of its own, and never answers, as a stopped process. Calls `onHello` for each question. */
async function hang(path: string, onHello = (): void => {}): Promise<void> {
  const server = createServer((socket) => void socket.on('error', () => {}).on('data', onHello))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  closers.push(() => server.close())
}

/** An order for a lender whose program is this text. */
function orderOf(name: string, program: string) {
  mkdirSync(join(root, name), { mode: 0o700 })
  const lenderFile = join(root, name, 'lender.mjs')
  writeFileSync(lenderFile, program)
  const order = { kind: 'echo', socket: join(root, name, 'lender-1.sock') }
  return { order, host: { lenderFile, platform: process.platform, environment: {} } }
}

describe.skipIf(process.platform === 'win32')('a lender that hangs', () => {
  test('does not keep a cancelled call waiting', async () => {
    const { order, host } = orderOf('cancelled', '')
    const stop = new AbortController()
    const reason = new Error('ended by SIGINT')
    await hang(order.socket, () => stop.abort(reason))
    await expect(startLender(order, host, stop.signal)).rejects.toBe(reason)
    await expect(connectLender(order.socket, stop.signal)).rejects.toBe(reason)
  })

  test('is not waited for as one that has just begun to serve, if another process has started it', async () => {
    const { order, host } = orderOf(
      'other',
      `import { renameSync } from 'node:fs'
       import { dirname, join } from 'node:path'
       let text = ''
       for await (const chunk of process.stdin) text += chunk
       const { socket } = JSON.parse(text)
       renameSync(join(dirname(socket), 'hung.sock'), socket)
       process.stdout.write('{"isServing":false}\\n')`,
    )
    await hang(join(root, 'other', 'hung.sock'))
    await expect(startLender(order, host, undefined, () => {}, 50)).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: 'the lender has not answered within 50 ms',
    })
  })
})

describe('a lender that cannot start', () => {
  test('sends the hint of its failure', async () => {
    const folder = join(root, 'open')
    mkdirSync(folder, { mode: 0o755 })
    const lines: string[] = []
    const stdin = Readable.from([`${JSON.stringify({ kind: 'echo', socket: join(folder, 'lender-1.sock') })}\n`])
    const stdout = { write: (line: string) => lines.push(line) }
    const streams = { stdin, stdout, signal: new AbortController().signal }
    const served = serveLender({ echo: async () => ({ serve: async () => {} }) }, streams as never)
    await expect(served).rejects.toThrow('does not belong to this user alone')
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      isServing: false,
      problem: `${folder} does not belong to this user alone`,
      hint: expect.stringContaining(`rm -r '${folder}'`),
    })
  })

  test.skipIf(process.platform === 'win32')('gives its caller that hint', async () => {
    const ready = { isServing: false, problem: 'no room', hint: 'Make room.' }
    const { order, host } = orderOf('hint', `process.stdout.write(${JSON.stringify(`${JSON.stringify(ready)}\n`)})`)
    await expect(startLender(order, host)).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: 'the lender cannot start: no room',
      hint: 'Make room.',
    })
  })
})
