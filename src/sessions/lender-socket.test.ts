import { expect, test } from 'vitest'
import { isLenderSocket, lenderSocketOf, newLenderSocket } from './lender-socket.ts'

const host = {
  platform: 'linux',
  environment: { XDG_RUNTIME_DIR: '/run/user/7' },
  temporaryFolder: '/tmp',
  userId: 7,
} as const

test('the socket of a lender is in the runtime folder, or in a shorter one', () => {
  expect(newLenderSocket('0a1b2c3d', host)).toBe('/run/user/7/testfleet-7/lender-0a1b2c3d.sock')
  const long = { ...host, environment: { XDG_RUNTIME_DIR: `/${'x'.repeat(80)}` } }
  expect(newLenderSocket('0a1b2c3d', long)).toBe('/tmp/testfleet-7/lender-0a1b2c3d.sock')
})

test('nobody can guess the name of a pipe', () => {
  const names = [1, 2].map(() => newLenderSocket('0a1b2c3d', { ...host, platform: 'win32' }))
  expect(names[0]).toMatch(/^\\\\\.\\pipe\\testfleet-lender-0a1b2c3d-[0-9a-f]{32}\.sock$/)
  expect(names[0]).not.toBe(names[1])
  expect(names.every(isLenderSocket)).toBe(true)
})

test('a path in a record is used only if it has the form of such a socket', () => {
  const session = { id: '0a1b2c3d', lender: { socket: '/tmp/testfleet-7/lender-0a1b2c3d.sock' } }
  expect(lenderSocketOf(session, host)).toBe(session.lender.socket)
  for (const socket of ['/var/run/docker.sock', '/tmp/testfleet-7/../lender-a.sock', '', 5]) {
    const odd = { ...session, lender: { socket: socket as string } }
    expect(lenderSocketOf(odd, host)).toBe('/run/user/7/testfleet-7/lender-0a1b2c3d.sock')
  }
})
