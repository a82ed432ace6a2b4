import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { currentHost } from '../current-host.ts'
import { claimSocket } from '../lender/claim-socket.ts'
import { openLineServer } from '../lender/line-server.ts'
import type { FleetEvent } from '../model/events.ts'
import { hold } from './control.ts'
import { standbySocket } from './socket.ts'

const root = mkdtempSync(join(tmpdir(), 'control-'))
afterAll(() => rmSync(root, { recursive: true }))

/** A program that listens at the socket of its order and handles each text that it receives. */
const listen = (onText: string): string => `
  import { renameSync } from 'node:fs'
  import { createServer } from 'node:net'
  let order = ''
  for await (const chunk of process.stdin) order += chunk
  const { socket: path } = JSON.parse(order)
  const sockets = []
  const onText = (text, socket) => { ${onText} }
  createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {}).on('data', (text) => onText(String(text), socket))
  }).listen(path, () => process.stdout.write('{"isServing":true}\\n'))`

async function begin(name: string, program: string) {
  const lenderFile = join(root, `${name}.mjs`)
  writeFileSync(lenderFile, program)
  const host = { ...currentHost(root), lenderFile }
  const source = { kind: 'object', value: { name }, folder: root } as const
  const path = standbySocket(source, host)
  const stop = new AbortController()
  const notes: string[] = []
  const note = (event: FleetEvent): void => void (event.kind === 'noted' && notes.push(event.message))
  const settings = { size: 1, idleMs: 60_000, memoryBytes: undefined }
  const start = () => hold({ source, settings }, host, stop.signal, note)
  return { path, notes, start, stop: () => stop.abort(new Error('ended by SIGINT')) }
}

describe.skipIf(process.platform === 'win32')('a cancelled call', () => {
  test('leaves the copies of another call that has replaced its own lender', async () => {
    const other = '.other'
    const { path, notes, start, stop } = await begin(
      'replaced',
      // Its copies are of no use to the caller, and the lender of another call takes its place.
      listen(`
        for (const line of text.trim().split('\\n')) {
          const { id, do: what } = JSON.parse(line)
          if (what === 'set') renameSync(path + '${other}', path)
          socket.write(JSON.stringify({ id, variables: [], ready: [], ended: 'stale' }) + '\\n')
          if (what === 'set') socket.end(() => process.exit(0))
        }`),
    )
    const { lines, accept } = openLineServer()
    const asked: unknown[] = []
    lines.onClient((client) =>
      client.onRequest(async (request) => {
        asked.push(request.do)
        if (request.do === 'set') {
          stop()
          return new Promise(() => {})
        }
        return { variables: [], ready: [] }
      }),
    )
    const claim = await claimSocket(`${path}${other}`, accept)
    await expect(start()).rejects.toThrow('ended by SIGINT')
    expect(asked).toEqual(['variables', 'set'])
    expect(notes.at(-1)).toMatch(/^the standby copies are still prepared, because another call has begun them; /)
    claim?.release()
    lines.close()
    rmSync(path, { force: true })
  })

  test('ends its own lender that does not answer yet', async () => {
    const { path, start, stop } = await begin('loading', listen("for (const one of sockets) one.write('asked')"))
    const held = start()
    held.catch(() => {})
    const watching = await vi.waitFor(
      async () => {
        const socket = connect(path)
        await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
        return socket
      },
      { timeout: 60_000, interval: 5 },
    )
    const ended = new Promise((resolve) => watching.once('close', resolve))
    await new Promise((resolve) => watching.once('data', resolve).write('?'))
    stop()
    await expect(held).rejects.toThrow('ended by SIGINT')
    await ended
    rmSync(path, { force: true })
  })
})
