import { expect, test } from 'vitest'
import { standbySocket } from './socket.ts'

const file = { kind: 'file', path: '/shop/testfleet.yaml', realPath: '/shop/testfleet.yaml' } as const

test.each(['linux', 'win32'] as const)('callers of one fleet file find the same socket on %s', (platform) => {
  const host = { platform, environment: {}, temporaryFolder: '/tmp', userId: 7 }
  const other = { ...host, environment: { XDG_RUNTIME_DIR: '/run/user/7' }, temporaryFolder: '/work/tmp' }
  expect(standbySocket(file, host)).toBe(standbySocket({ ...file }, other))
  expect(standbySocket({ ...file, realPath: '/other/testfleet.yaml' }, host)).not.toBe(standbySocket(file, host))
})
