import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'

test('a process has its command, the folder of the fleet file, and checks of its ports', async () => {
  const fleet = await loadText(
    'servers:\n  app: { process: [npm, start], ports: [3000, 53/udp], environment: { PORT: 3000 } }\n',
  )
  const app = fleet.servers.get('app')
  expect(app?.runs).toEqual({ kind: 'process', command: ['npm', 'start'], folder: fleet.folder })
  expect(app?.ready).toEqual([{ kind: 'tcp', port: 3000 }])
})

test('the working directory of a process is relative to the fleet file, and has to exist', async () => {
  expect(await mistakesIn('servers:\n  app: { process: [a], workingDir: no/such }\n')).toEqual([
    expect.stringContaining('servers.app.workingDir: there is no folder no/such'),
  ])
  await mkdir(join(tmpdir(), 'testfleet-outside'), { recursive: true })
  expect(await mistakesIn('servers:\n  app: { process: [a], workingDir: ../testfleet-outside }\n')).toEqual([
    expect.stringMatching(/servers\.app\.workingDir: \.\.\/testfleet-outside leads out of the fleet's folder$/),
  ])
})

const nothing = 'means nothing for a process of this machine, which has no container'
const port = 'means nothing for a process, which listens on 127.0.0.1 at the port itself'
test.each([
  ['{ process: npm start }', '2:19 servers.app.process: must be a list, not "npm start"; write [npm, start]'],
  ['{ process: [""] }', '2:20 servers.app.process[0]: must name a program'],
  ['{ process: [a], stopSignal: SIGRTMIN+3 }', '2:36 servers.app.stopSignal: cannot be sent to a process'],
  ['{ process: [a], stopSignal: SIGUSR9 }', '2:36 servers.app.stopSignal: cannot be sent to a process'],
  ['{ process: [a], stopSignal: SIGSTOP }', '2:36 servers.app.stopSignal: cannot end a process'],
  ['{ process: [] }', '2:19 servers.app.process: needs at least one item'],
  ['{ process: [a, 5] }', '2:23 servers.app.process[1]: must be text'],
  ['{ process: ["a\\0"] }', '2:20 servers.app.process[0]: cannot hold a NUL character'],
  [
    '{ process: [a], image: b }',
    '2:8 servers.app: needs exactly one of `image`, `build`, `preset`, `process` and `external`',
  ],
  ['{ process: [a], preset: redis }', '2:8 servers.app: needs exactly one of'],
  ['{ process: [a], external: "tcp://h:1" }', '2:8 servers.app: needs exactly one of'],
  ['{ image: a, workingDir: app }', '2:32 servers.app.workingDir: must be an absolute path inside the server'],
  ['{ process: [a], command: [b] }', `2:33 servers.app.command: ${nothing}`],
  ['{ process: [a], user: b }', `2:30 servers.app.user: ${nothing}`],
  ['{ process: [a], limits: { memory: 64m } }', `2:32 servers.app.limits: ${nothing}`],
  ['{ process: [a], tls: true }', `2:29 servers.app.tls: ${nothing}`],
  ['{ process: [a], preStart: [[b]] }', `2:34 servers.app.preStart: ${nothing}`],
  ['{ process: [a], pool: 2 }', `2:30 servers.app.pool: ${nothing}`],
  ['{ process: [a], ports: [{ container: 80, host: 81 }] }', `2:55 servers.app.ports[0].host: ${port}`],
  ['{ process: [a], ports: [{ container: 80, address: 0.0.0.0 }] }', `2:58 servers.app.ports[0].address: ${port}`],
  ['{ process: [a], ready: [{ healthcheck: true }] }', '2:47 servers.app.ready[0].healthcheck: is part of an image'],
  [
    '{ process: [a], postStart: [{ command: [b], user: c }] }',
    '2:58 servers.app.postStart[0].user: means nothing for a process',
  ],
])('%s is refused', async (server, expected) => {
  expect((await mistakesIn(`servers:\n  app: ${server}\n`)).join('\n')).toContain(expected)
})

test('copies of a fleet cannot share the port of a process', async () => {
  const mistakes = await mistakesIn('standby: 1\nservers:\n  app: { process: [a], ports: [80] }\n')
  expect(mistakes.join('\n')).toContain(
    'servers.app.ports[0]: a fleet with `standby` has copies, which cannot share the port 80',
  )
})

test.each([
  ['a: { process: [a], ports: [80] }', 'b: { process: [b], ports: [80] }', true],
  ['a: { process: [a], ports: [80] }', 'b: { image: b, ports: [{ container: 81, host: 80 }] }', true],
  ['a: { process: [a], ports: [80] }', 'b: { process: [b], ports: [80/udp] }', false],
  ['a: { process: [a], ports: [80] }', 'b: { image: b, ports: [80] }', false],
])('the port of a process belongs to it alone: %s, %s', async (one, other, isTaken) => {
  const mistakes = await mistakesIn(`servers:\n  ${one}\n  ${other}\n`).catch(() => [])
  const expected = 'servers.b.ports[0]: the port 80 of this machine is taken by `a` already'
  expect(mistakes.join('\n').includes(expected), mistakes.join('\n')).toBe(isTaken)
})
