import { chownSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { joinKeeper } from './client.ts'
import { listen } from './guard.ts'

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
  async function standIn(folder: string, greeting: string) {
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
    const { path, server, count } = await standIn(join(root, 'stand-in/folder'), '{"session":"web","held":0}\n')
    expect(await joinKeeper(path)).toBeDefined()
    expect(count()).toBe(1)
    chownSync(join(path, '..'), nobody, nobody)
    expect(await joinKeeper(path)).toBeUndefined()
    expect(count()).toBe(1)
    server?.close()
  })

  test.each(['not json\n', '{"held":"0"}\n', '[]\n', ''])('that greets with %j is not a keeper', async (greeting) => {
    const folder = mkdtempSync(join(root, 'odd-'))
    const { path, server } = await standIn(join(folder, 'of'), greeting)
    expect(await joinKeeper(path)).toBeUndefined()
    server?.close()
  })
})
