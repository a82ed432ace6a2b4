import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { claimSocket, removeDeadSocket, sweepDeadSockets } from './claim-socket.ts'

const root = mkdtempSync(join(tmpdir(), 'claim-'))
afterAll(() => rmSync(root, { recursive: true }))
let folders = 0
const newPath = (): string => join(root, String(folders++), 'lender-x.sock')
const nothing = (): void => {}

const canConnect = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Leaves a socket at which nobody listens, as a killed process does. */
async function leaveDead(path: string, number: number): Promise<void> {
  mkdirSync(join(path, '..'), { mode: 0o700, recursive: true })
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(`${path}~`, resolve))
  linkSync(`${path}~`, `${path}.${number}`)
  await new Promise((resolve) => server.close(resolve))
}

describe.skipIf(process.platform === 'win32')('the socket of a lender', () => {
  test('belongs to one of many claimants, and to the user alone', async () => {
    const path = newPath()
    const claims = await Promise.all(Array.from({ length: 20 }, () => claimSocket(path, nothing)))
    const [won, ...others] = claims.filter((claim) => claim !== undefined)
    expect(others).toEqual([])
    expect(await canConnect(path)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    won?.release()
    expect(readdirSync(join(path, '..'))).toEqual([])
    const successor = await claimSocket(path, nothing)
    won?.release()
    expect(await canConnect(path)).toBe(true)
    successor?.release()
  })

  test('that a killed process left is taken over by one of many claimants', async () => {
    const path = newPath()
    await leaveDead(path, 3)
    const claims = await Promise.all(Array.from({ length: 20 }, () => claimSocket(path, nothing)))
    const won = claims.filter((claim) => claim !== undefined)
    expect(won).toHaveLength(1)
    expect(readdirSync(join(path, '..')).toSorted()).toEqual(['lender-x.sock', 'lender-x.sock.4'])
    expect(await canConnect(path)).toBe(true)
    won[0]?.release()
  })

  test('is free again once it is released', async () => {
    const path = newPath()
    for (let round = 0; round < 3; round++) {
      const claim = await claimSocket(path, nothing)
      expect(await canConnect(path)).toBe(true)
      expect(await claimSocket(path, nothing)).toBeUndefined()
      claim?.release()
      expect(await canConnect(path)).toBe(false)
    }
  })

  test('is removed when it is dead, and kept when somebody listens', async () => {
    const path = newPath()
    await leaveDead(path, 1)
    await removeDeadSocket(path)
    expect(readdirSync(join(path, '..'))).toEqual([])
    const claim = await claimSocket(path, nothing)
    await removeDeadSocket(path)
    expect(await canConnect(path)).toBe(true)
    claim?.release()
    await removeDeadSocket(join(root, 'missing', 'lender-x.sock'))
  })

  test('of every killed lender is removed by the next one, which stays', async () => {
    const path = newPath()
    const claim = await claimSocket(path, nothing)
    const dead = join(path, '..', 'lender-y.sock')
    await leaveDead(dead, 2)
    symlinkSync('lender-y.sock.2', dead)
    await sweepDeadSockets(path)
    expect(readdirSync(join(path, '..')).toSorted()).toEqual(['lender-x.sock', 'lender-x.sock.1'])
    expect(await canConnect(path)).toBe(true)
    claim?.release()
  })

  test('of a lender that was killed while it took its place is removed after a while', async () => {
    const path = newPath()
    const claim = await claimSocket(path, nothing)
    const name = (file: string): string => join(path, '..', file)
    const [killed, young, link] = ['0a', '1a', '2a'].map((start) => `lender-y.sock.${start}1b2c3d~`) as [
      string,
      string,
      string,
    ]
    for (const draft of [killed, young]) {
      await leaveDead(name(draft), 1)
      renameSync(name(`${draft}.1`), name(draft))
    }
    symlinkSync('lender-x.sock.1', name(link))
    for (const draft of [killed, link]) lutimesSync(name(draft), 0, Date.now() / 1000 - 120)
    await sweepDeadSockets(path)
    expect(readdirSync(name('.')).toSorted()).toEqual(['lender-x.sock', 'lender-x.sock.1', young])
    expect(await canConnect(path)).toBe(true)
    claim?.release()
  })

  test.skipIf(process.getuid?.() !== 0)("is not opened in somebody else's folder", async () => {
    const path = newPath()
    mkdirSync(join(path, '..'), { mode: 0o700 })
    chownSync(join(path, '..'), 65534, 65534)
    await expect(claimSocket(path, nothing)).rejects.toThrow('does not belong to this user alone')
    expect(existsSync(path)).toBe(false)
  })

  test('is not opened in a folder that others can read, and says how to go on', async () => {
    const path = newPath()
    const folder = join(path, '..')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    await expect(claimSocket(path, nothing)).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: `${folder} does not belong to this user alone`,
      hint: `Run \`chmod 700 '${folder}'\` if it is your folder; else remove it as root: \`rm -r '${folder}'\`.`,
    })
  })
})
