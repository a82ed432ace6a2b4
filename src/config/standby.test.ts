import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import { refuseUnfit } from '../standby/refuse-fleet.ts'

const web = (standby: string, ...lines: readonly string[]): string =>
  `name: fleet\n${standby}\nservers:\n  web:\n    image: debian:bookworm-slim\n${lines.map((line) => `    ${line}\n`).join('')}`

const HALF_AN_HOUR_MS = 1_800_000

describe('the key `standby`', () => {
  test.each([
    ['', undefined],
    ['standby: 2', { size: 2, idleMs: HALF_AN_HOUR_MS, memoryBytes: undefined }],
    ['standby: { size: 1, idle: 90s, memory: 2g }', { size: 1, idleMs: 90_000, memoryBytes: 2 * 1024 ** 3 }],
    ['standby: { size: 16, idle: 60, memory: 1048576 }', { size: 16, idleMs: 60_000, memoryBytes: 1024 ** 2 }],
  ])('says how many copies are held: %s', async (line, expected) => {
    expect((await loadText(web(line))).standby).toEqual(expected)
  })

  test.each([
    ['standby: 0', '2:10 standby: must be from 1 to 16'],
    ['standby: 17', '2:10 standby: must be from 1 to 16'],
    ['standby: 1.5', '2:10 standby: must be a whole number'],
    ['standby: yes', '2:10 standby: must be'],
    ['standby: { idle: 1m }', '2:10 standby.size: is missing'],
    ['standby: { size: 1, idle: 0.5s }', '2:27 standby.idle: must be from 1s to 24h'],
    ['standby: { size: 1, idle: 25h }', '2:27 standby.idle: must be from 1s to 24h'],
    ['standby: { size: 1, idle: soon }', '2:27 standby.idle: must be a time such as'],
    ['standby: { size: 1, memory: lots }', '2:29 standby.memory: must be a size such as'],
    ['standby: { size: 1, memory: 0 }', '2:29 standby.memory: must be'],
    ['standby: { size: 1, count: 2 }', '2:21 standby.count: unknown key'],
  ])('is reported at its place: %s', async (line, message) => {
    expect(await mistakesIn(web(line))).toEqual([expect.stringContaining(message)])
  })

  test('contradicts what copies cannot share; each copy has its own volumes', async () => {
    const lines = [
      'ports: [80, { container: 81, host: 8081 }]',
      'mounts: [{ from: ., to: /a, writable: true }, { volume: v, to: /v, writable: true }]',
    ]
    expect(await mistakesIn(web('standby: 1', ...lines))).toEqual([
      '6:17 servers.web.ports[1]: a fleet with `standby` has copies, which cannot share the port 8081 of this machine',
      '7:14 servers.web.mounts[0]: a fleet with `standby` has copies, which would all write to this mount',
    ])
    const [ports = '', mounts = ''] = lines
    const refusal = (line: string) => loadText(web('', line)).then(refuseUnfit)
    await expect(refusal(ports)).rejects.toThrow('web: copies cannot share the port 8081 of this machine')
    await expect(refusal(mounts)).rejects.toThrow('web: copies would all write to the mount at /a')
  })
})
