import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fakeSocket } from '../../../tests/support/fake-engine.ts'

const mebibyte = 1024 * 1024

test('writing waits while the command does not read', async () => {
  const attached = Promise.withResolvers<Socket>()
  await using fake = await fakeSocket((socket) => answerExec(socket, attached.resolve))
  const process = await fake.engine.exec('x', { command: ['x'], stdin: true })
  const peer = await attached.promise
  let written = 0
  const writing = (async () => {
    for (; written < 24; written++) await process.write(Buffer.alloc(mebibyte))
  })()
  await Promise.race([writing, sleep(500)])
  expect(written).toBeLessThan(8)
  peer.resume()
  await writing
  expect(written).toBe(24)
})

test('input for a command that has ended is dropped without waiting', async () => {
  const attached = Promise.withResolvers<Socket>()
  await using fake = await fakeSocket((socket) => answerExec(socket, attached.resolve))
  const process = await fake.engine.exec('x', { command: ['x'], stdin: true })
  const writing = process.write(Buffer.alloc(8 * mebibyte))
  ;(await attached.promise).destroy()
  await writing
  await process.write(Buffer.alloc(8 * mebibyte))
})

/** Answers a ping and the creation of a command, then hands over the connection and stops reading from it. */
function answerExec(socket: Socket, onAttached: (socket: Socket) => void): void {
  const read = (chunk: Buffer): void => {
    const request = chunk.toString('latin1')
    if (request.startsWith('GET /_ping')) {
      socket.write('HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK')
    } else if (request.includes('/containers/x/exec')) {
      socket.write('HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{"Id":"e1"}')
    } else if (request.includes('/exec/e1/start')) {
      socket.off('data', read).pause()
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
      onAttached(socket)
    }
  }
  socket.on('data', read)
}
