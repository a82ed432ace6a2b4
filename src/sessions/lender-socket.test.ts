import { expect, test } from 'vitest'
import { lenderSocketOf, newLenderSocket } from './lender-socket.ts'

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
  const onWindows = { ...host, platform: 'win32' } as const
  const names = [1, 2].map(() => newLenderSocket('0a1b2c3d', onWindows))
  expect(names[0]).toMatch(/^\\\\\.\\pipe\\testfleet-lender-0a1b2c3d-[0-9a-f]{32}\.sock$/)
  expect(names[0]).not.toBe(names[1])
  for (const socket of names) expect(lenderSocketOf({ id: '0a1b2c3d', lender: { socket } }, onWindows)).toBe(socket)
})

test('a path in a record is used only if it has the form of such a socket', () => {
  const session = { id: '0a1b2c3d', lender: { socket: '/tmp/testfleet-7/lender-0a1b2c3d.sock' } }
  expect(lenderSocketOf(session, host)).toBe(session.lender.socket)
  const odd = [
    ...['/var/run/docker.sock', '/tmp/testfleet-7/../lender-0a1b2c3d.sock', '', 5],
    // Of another session, relative, and not in its shortest form.
    ...['/tmp/testfleet-7/lender-a.sock', 'x/testfleet-7/lender-0a1b2c3d.sock'],
    ...['/home/../x/testfleet-7/lender-0a1b2c3d.sock', '//host/x/testfleet-7/lender-0a1b2c3d.sock'],
    `\\\\.\\pipe\\testfleet-lender-0a1b2c3d-${'0'.repeat(32)}.sock`,
  ]
  for (const socket of odd)
    expect(lenderSocketOf({ ...session, lender: { socket: socket as string } }, host)).toBe(
      '/run/user/7/testfleet-7/lender-0a1b2c3d.sock',
    )
})

test('a pipe in a record is used only if it is on this machine and of the session', () => {
  const onWindows = { ...host, platform: 'win32' } as const
  const key = `0a1b2c3d-${'0'.repeat(32)}`
  const odd = [
    ...[`\\\\host\\pipe\\testfleet-lender-${key}.sock`, `\\\\.\\pipe\\x\\testfleet-lender-${key}.sock`],
    ...[`\\\\.\\pipe\\testfleet-lender-1${key}.sock`, '\\\\.\\pipe\\testfleet-lender-0a1b2c3d.sock'],
    `C:\\x\\testfleet-lender-${key}.sock`,
  ]
  for (const socket of odd) expect(lenderSocketOf({ id: '0a1b2c3d', lender: { socket } }, onWindows)).not.toBe(socket)
})
