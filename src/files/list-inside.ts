import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { withOpened } from './open-inside.ts'

export type Member = { readonly name: string } & (
  | { readonly kind: 'folder' | 'file' | 'other' }
  | { readonly kind: 'link'; readonly target: string }
)

/** What is in a folder, by name; the folder is one of `roots` or in one of them. Fails with CONTEXT_CHANGED. */
export async function listInside(folder: string, roots: readonly string[]): Promise<Member[]> {
  return withOpened(folder, 'folder', roots, async ({ fixedPath = folder }) => {
    const members = await readdir(fixedPath, { withFileTypes: true })
    members.sort((a, b) => (a.name < b.name ? -1 : 1))
    return Promise.all(
      members.map(async (member): Promise<Member> => {
        const { name } = member
        if (member.isDirectory()) return { name, kind: 'folder' }
        if (member.isSymbolicLink()) return { name, kind: 'link', target: await readlink(join(fixedPath, name)) }
        return { name, kind: member.isFile() ? 'file' : 'other' }
      }),
    )
  })
}
