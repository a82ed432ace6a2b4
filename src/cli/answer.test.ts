import { expect, test } from 'vitest'
import type { ServerReport } from '../model/running.ts'
import { formatReport } from './answer.ts'

test('a server that has exited is shown with its exit code, and with a note if memory ran out', () => {
  const shared = { container: 'c', image: 'i', packages: {}, hostname: '', ip: '', endpoints: {} }
  const servers: Record<string, ServerReport> = {
    a: { ...shared, state: 'exited', exitCode: 3 },
    b: { ...shared, state: 'exited', exitCode: 137, outOfMemory: true },
    c: { ...shared, state: 'completed', exitCode: 0 },
    d: { ...shared, state: 'paused' },
  }
  const text = formatReport({ session: 's', fleet: 's', domain: 's.test', servers })
  expect(text).toBe(
    'session s (s.test)\n  a  exited (3)\n  b  exited (137, out of memory)\n  c  completed\n  d  paused\n',
  )
})
