import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { label } from '../../model/labels.ts'
import { removeOld } from './remove-old.ts'
import {
  listCards,
  makeProcessId,
  makeServerFolder,
  readCard,
  removeServerFolder,
  type ServerCard,
  serversFolder,
  socketOf,
} from './server-folder.ts'

const top = mkdtempSync(join(tmpdir(), 'server-folder-'))
afterAll(() => rmSync(top, { recursive: true }))
const userId = process.getuid?.()
let count = 0
const newRoot = (): string => join(top, `user-${++count}`, 'processes')

const card = (session = 's1'): ServerCard => ({
  id: makeProcessId(),
  name: `shop-app-${count}`,
  labels: { [label.session]: session },
  command: ['serve'],
  published: [],
  createdAtMs: 1,
  engine: 'unix:///run/docker.sock',
})

describe.skipIf(process.platform === 'win32')('the folder of a server', () => {
  test('belongs to its user alone, is listed, and is removed once', () => {
    const root = newRoot()
    expect(listCards(root, userId)).toEqual([])
    const one = card()
    const folder = makeServerFolder(root, one, userId)
    for (const path of [folder, root, join(root, '..')]) expect(lstatSync(path).mode & 0o777).toBe(0o700)
    expect(listCards(root, userId)).toEqual([one])
    expect(readCard(folder)).toEqual(one)
    expect([removeServerFolder(folder), removeServerFolder(folder)]).toEqual([true, false])
    expect(listCards(root, userId)).toEqual([])
    expect(readdirSync(root)).toEqual([])
  })

  test('is not made or listed in a folder that others may change', () => {
    const root = newRoot()
    mkdirSync(root, { recursive: true })
    chmodSync(join(root, '..'), 0o777)
    chmodSync(root, 0o700)
    expect(() => makeServerFolder(root, card(), userId)).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE', hint: expect.stringContaining('Remove that folder') }),
    )
    expect(listCards(root, userId)).toEqual([])
    expect(listCards(newRoot(), userId)).toEqual([])
  })

  test('of another user is not listed', () => {
    const root = newRoot()
    makeServerFolder(root, card(), userId)
    expect(listCards(root, (userId ?? 0) + 1)).toEqual([])
  })

  test('is the same for every call of a user, and has room for a socket', () => {
    expect(serversFolder(1000)).toBe('/tmp/testfleet-1000/processes')
    expect(socketOf(join(serversFolder(2 ** 32 - 1), makeProcessId())).length).toBeLessThan(104)
  })

  test('is swept of what killed calls have left, and of old events, and of nothing that is used', () => {
    const root = newRoot()
    const used = card('live')
    makeServerFolder(root, used, userId)
    mkdirSync(join(root, makeProcessId()))
    mkdirSync(join(root, `${makeProcessId()}.gone`))
    for (const session of ['live', 'over', 'new']) writeFileSync(join(root, `events-${session}`), '')
    const now = Date.now()
    for (const name of readdirSync(root)) if (name !== 'events-new') utimesSync(join(root, name), 1, 1)
    removeOld(root, userId, now)
    expect(readdirSync(root).sort()).toEqual(['events-live', 'events-new', used.id].sort())
    expect(existsSync(join(root, used.id, 'server.json'))).toBe(true)
  })
})
