import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { inStateFolder } from './state-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'state-folder-'))
afterAll(() => rmSync(root, { recursive: true }))

const canGiveAway = process.getuid?.() === 0
const nobody = 65534
let count = 0

/** Returns a unique path, two folders deep, and a function that opens it as state folder. */
function place(): { readonly path: string; enter(): Promise<string> } {
  const path = join(root, `parent-${++count}`, 'state')
  mkdirSync(dirname(path))
  const host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: path } }
  return { path, enter: () => inStateFolder(host, async () => 'entered') }
}

const refused = (what: string) =>
  expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE', message: expect.stringContaining(what) })

describe.skipIf(process.platform === 'win32')('the state folder', () => {
  test('is accepted if it does not exist yet, or if only this user can write to it', async () => {
    const { path, enter } = place()
    expect(await enter()).toBe('entered')
    mkdirSync(path, { mode: 0o700 })
    expect(await enter()).toBe('entered')
    chmodSync(path, 0o755)
    expect(await enter()).toBe('entered')
  })

  test.each([0o777, 0o1777, 0o702])('is refused if others can write to it: mode %o', async (mode) => {
    const { path, enter } = place()
    mkdirSync(path)
    chmodSync(path, mode)
    await expect(enter()).rejects.toEqual(refused(`others can write to ${path}`))
  })

  test('is refused if others can replace it, which a sticky folder prevents', async () => {
    const { path, enter } = place()
    mkdirSync(path)
    chmodSync(dirname(path), 0o777)
    await expect(enter()).rejects.toEqual(refused(`others can write to ${dirname(path)}`))
    chmodSync(dirname(path), 0o1777)
    expect(await enter()).toBe('entered')
  })

  test.skipIf(!canGiveAway).each([
    ['it', (path: string) => path],
    ['the folder above it', (path: string) => dirname(path)],
  ])('is refused, and not read, if %s belongs to another user', async (_, which) => {
    const { path, enter } = place()
    mkdirSync(path, { mode: 0o700 })
    writeFileSync(join(path, 'secrets.key'), 'theirs')
    chownSync(which(path), nobody, nobody)
    await expect(enter()).rejects.toEqual(refused(`${which(path)} belongs to another user`))
  })

  test.skipIf(!canGiveAway)('is refused behind a link of another user, wherever the link leads', async () => {
    const { path, enter } = place()
    mkdirSync(join(dirname(path), 'mine'))
    symlinkSync('mine', path)
    expect(await enter()).toBe('entered')
    lchownSync(path, nobody, nobody)
    await expect(enter()).rejects.toEqual(refused(`${path} belongs to another user`))
  })
})
