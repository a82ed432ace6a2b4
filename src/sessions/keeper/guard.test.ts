import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { isKeeperSocket, joinKeeper } from './client.ts'
import { Guard, listen } from './guard.ts'
import { type KeeperOrder, keeperSocket } from './protocol.ts'

const root = mkdtempSync(join(tmpdir(), 'listen-'))
afterAll(() => rmSync(root, { recursive: true }))

const canGiveAway = process.getuid?.() === 0
const nobody = 65534

describe.skipIf(process.platform === 'win32')('a keeper', () => {
  test('that sends more than it was asked for is disconnected', async () => {
    const path = join(root, 'testfleet-0', 'abc.sock')
    const closed = Promise.withResolvers<void>()
    const answer = `${JSON.stringify({ session: 'x', held: 0 })}\n`.repeat(1000)
    const server = await listen(path, (socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write(answer));
      }
      socket
        .on('error', () => {})
        .once('close', closed.resolve)
        .on('drain', flood)
      flood()
    })
    await joinKeeper(path)
    await closed.promise
    server?.close()
  })
})

describe.skipIf(process.platform === 'win32')('a keeper that a client leaves', () => {
  /** A keeper that one client holds, which reads the answers to its requests. */
  function openGuard() {
    const guard = new Guard(
      { socket: '', session: 'shop' } as KeeperOrder,
      async () => {},
      () => {},
    )
    const connect = () => {
      const [input, output] = [new PassThrough(), new PassThrough()]
      guard.connect(input, output)
      const answers = createInterface({ input: output })[Symbol.asyncIterator]()
      const read = async () => JSON.parse(String((await answers.next()).value))
      return { input, read, send: (request: object) => void input.write(`${JSON.stringify(request)}\n`) }
    }
    return { connect }
  }

  test('does not count a process that has just ended', async () => {
    const { connect } = openGuard()
    const { read, send } = connect()
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'spawn')
    send({ do: 'hold', pid: child.pid })
    expect([await read(), await read()]).toMatchObject([{ held: 0 }, { held: 1 }])
    child.stdin.end()
    await once(child, 'exit')
    send({ do: 'leave' })
    expect(await read()).toMatchObject({ held: 0 })
  })

  test('does not count a client whose end is still to be read', async () => {
    const { connect } = openGuard()
    const [first, second] = [connect(), connect()]
    first.send({ do: 'leave' })
    first.send({ do: 'nothing' })
    second.input.end()
    expect(await first.read()).toMatchObject({ held: 0 })
    expect(await first.read()).not.toHaveProperty('error')
    expect(await first.read()).toHaveProperty('error')
  })
})

describe.skipIf(process.platform === 'win32')('the socket of a keeper', () => {
  test('and its folder belong to the user alone', async () => {
    const path = join(root, 'mine', 'a.sock')
    const server = await listen(path, () => {})
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(root, 'mine')).mode & 0o777).toBe(0o700)
    server?.close()
  })

  test.skipIf(!canGiveAway)("is not opened in somebody else's folder, who could replace it", async () => {
    const folder = join(root, 'theirs')
    await mkdir(folder)
    chownSync(folder, nobody, nobody)
    expect(await listen(join(folder, 'a.sock'), () => {})).toBeUndefined()
  })

  test.skipIf(!canGiveAway)("is not opened through somebody else's link to our own folder", async () => {
    await mkdir(join(root, 'ours'))
    symlinkSync(join(root, 'ours'), join(root, 'link'))
    const { lchownSync } = await import('node:fs')
    lchownSync(join(root, 'link'), nobody, nobody)
    expect(await listen(join(root, 'link', 'a.sock'), () => {})).toBeUndefined()
  })

  /** A fake keeper that sends any greeting, and counts its connections. */
  async function fallBack(folder: string, greeting: string) {
    let asked = 0
    await mkdir(folder, { mode: 0o700 })
    const path = join(folder, 'testfleet-0', `${'a'.repeat(8)}.sock`)
    const server = await listen(path, (socket) => {
      asked++
      socket.end(greeting)
    })
    return { path, server, count: () => asked }
  }

  test.skipIf(!canGiveAway)('is not connected to when its folder belongs to another user', async () => {
    await mkdir(join(root, 'stand-in'))
    const { path, server, count } = await fallBack(join(root, 'stand-in/folder'), '{"session":"web","held":0}\n')
    expect(await joinKeeper(path)).toBeDefined()
    expect(count()).toBe(1)
    chownSync(join(path, '..'), nobody, nobody)
    expect(await joinKeeper(path)).toBeUndefined()
    expect(count()).toBe(1)
    server?.close()
  })

  test.each(['not json\n', '{"held":"0"}\n', '[]\n', ''])('that greets with %j is not a keeper', async (greeting) => {
    const folder = mkdtempSync(join(root, 'odd-'))
    const { path, server } = await fallBack(join(folder, 'of'), greeting)
    expect(await joinKeeper(path)).toBeUndefined()
    server?.close()
  })
})

test('a pipe in a record is used only if it is on this machine', () => {
  expect(isKeeperSocket('\\\\.\\pipe\\testfleet-0a1b2c3d.sock', 'win32')).toBe(true)
  for (const path of [
    '\\\\host\\pipe\\testfleet-0a1b2c3d.sock',
    'C:\\x\\testfleet-0a1b2c3d.sock',
    '/testfleet-0a1b.sock',
  ])
    expect(isKeeperSocket(path, 'win32')).toBe(false)
})

test.skipIf(process.platform === 'win32')(
  'a path in a record is used only if it is whole and in its shortest form',
  () => {
    mkdirSync(join(root, 'whole/testfleet-0'), { mode: 0o700, recursive: true })
    const path = join(root, 'whole/testfleet-0/0a1b2c3d.sock')
    expect(isKeeperSocket(path)).toBe(true)
    for (const odd of [relative(process.cwd(), path), `${root}/x/../whole/testfleet-0/0a1b2c3d.sock`, `/${path}`])
      expect(isKeeperSocket(odd)).toBe(false)
    expect(isKeeperSocket('\\\\.\\pipe\\testfleet-0a1b2c3d.sock')).toBe(false)
  },
)

test('the socket of a keeper is never in a folder with a relative path', () => {
  const host = {
    platform: 'linux',
    environment: { XDG_RUNTIME_DIR: 'run' },
    temporaryFolder: 'tmp',
    userId: 7,
  } as const
  expect(keeperSocket('0a1b2c3d', host)).toBe('/tmp/testfleet-7/0a1b2c3d.sock')
  expect(keeperSocket('0a1b2c3d', { ...host, temporaryFolder: '/var/tmp' })).toBe('/var/tmp/testfleet-7/0a1b2c3d.sock')
})
