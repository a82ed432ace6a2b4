import { constants, openSync } from 'node:fs'
import { TestfleetError } from '../../../model/failures.ts'
import { closeAll, itself, openTrusted, toBytes } from './descriptors.ts'
import { readOpened } from './read-opened.ts'
import { treeOf, walk } from './walk.ts'

/** A user of a container, as programs run. */
export interface FoundUser {
  readonly uid: number
  readonly gid: number
  /** Further groups. */
  readonly groups: readonly number[]
  readonly home: string
}

const MOST_BYTES = 4 << 20
const LARGEST_ID = 2 ** 31 - 1

/**
 * Finds a user by the files of a root: `name`, `uid`, `name:group` or `uid:gid`; empty for root. The rules are Docker's: a
 * number needs no entry. ENGINE_REFUSED for an unknown name.
 */
export async function findUser(root: string, text: string): Promise<FoundUser> {
  const [userText = '', groupText = ''] = text.split(':')
  const [passwd, group] = await Promise.all(
    ['/etc/passwd', '/etc/group'].map(async (path) => linesOf(await readInside(root, path, MOST_BYTES))),
  )
  const user = findEntry(passwd ?? [], userText === '' ? '0' : userText)
  const uid = user === undefined ? numberOr(userText, unknownUser) : idIn(user[2])
  const groups = group ?? []
  const home = user?.[5] || '/'
  if (groupText !== '') {
    const entry = findEntry(groups, groupText)
    return { uid, gid: entry === undefined ? numberOr(groupText, unknownGroup) : idIn(entry[2]), groups: [], home }
  }
  const name = user?.[0]
  const further = groups.filter((entry) => name !== undefined && (entry[3] ?? '').split(',').includes(name))
  return { uid, gid: idIn(user?.[3] ?? '0'), groups: further.map((entry) => idIn(entry[2])), home }
}

/** Reads a file of a root, following links inside it. Undefined when there is none, or when it is no file. ENGINE_REFUSED when it is longer. */
export async function readInside(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const tree = treeOf(openTrusted(root), [])
  try {
    const place = walk(tree, toBytes(path), { follows: true })
    try {
      if (place.opened === undefined || !place.stats?.isFile()) return undefined
      const file = openSync(itself(place.opened), constants.O_RDONLY)
      return await readOpened(file, maxBytes, path)
    } finally {
      place.close()
    }
  } catch (error) {
    if (/^(?:ENOENT|ENOTDIR|ELOOP)$/.test((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  } finally {
    closeAll([tree.root])
  }
}

function linesOf(bytes: Buffer | undefined): readonly (readonly string[])[] {
  const lines = (bytes ?? Buffer.alloc(0)).toString('utf8').split('\n')
  return lines.map((line) => line.trim().split(':')).filter((fields) => fields.length >= 3 && fields[0] !== '')
}

/** The first entry with this name or number. */
function findEntry(entries: readonly (readonly string[])[], text: string): readonly string[] | undefined {
  return entries.find(([name, , id]) => name === text || id === text)
}

function idIn(text: string | undefined): number {
  const id = Number(text)
  return Number.isInteger(id) && id >= 0 && id <= LARGEST_ID ? id : 0
}

function numberOr(text: string, unknown: (text: string) => TestfleetError): number {
  if (text === '') return 0
  if (!/^\d+$/.test(text) || Number(text) > LARGEST_ID) throw unknown(text)
  return Number(text)
}

function unknownUser(name: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `unable to find user ${name}: no matching entries in passwd file`, {
    hint: 'Create the user in the image (`build.run`: `useradd NAME`), or set `user` to its number.',
  })
}

function unknownGroup(name: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `unable to find group ${name}: no matching entries in group file`, {
    hint: 'Create the group in the image (`build.run`: `groupadd NAME`), or set `user` to its number.',
  })
}
