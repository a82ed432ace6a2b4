import { execFileSync } from 'node:child_process'
import { readdir, readFile, symlink } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { contentOf, type HostileFile } from '../corpus/make-hostile.ts'
import { makeFleetFolder } from './command.ts'

export interface Hostile {
  readonly name: string
  /** What it is called in a fleet's folder. */
  readonly file: string
  content(): Uint8Array | Promise<Uint8Array>
}

const corpus = join(import.meta.dirname, '../corpus/hostile')

/** All of the corpus: each of them must be refused. */
export async function listHostile(): Promise<readonly Hostile[]> {
  const lines = (await readFile(join(corpus, 'generated.jsonl'), 'utf8')).trimEnd().split('\n')
  const generated = lines.map((line): Hostile => {
    const one = JSON.parse(line) as HostileFile
    return { name: one.name, file: one.file, content: () => contentOf(one) }
  })
  // Each has `.txt` at its end, so that no tool takes it for a file of ours.
  const names = (await readdir(join(corpus, 'by-hand'))).map((name) => basename(name, '.txt')).sort()
  const byHand = names.map((name): Hostile => {
    return { name, file: `testfleet${extname(name)}`, content: () => readFile(join(corpus, 'by-hand', `${name}.txt`)) }
  })
  return [...byHand, ...generated]
}

/** A folder with what some of them ask for: links that lead out and in circles, a pipe, a file, a folder. */
export async function makeHostileFolder(): Promise<string> {
  const folder = await makeFleetFolder({ file: 'FROM scratch\n', 'folder/file': 'x' })
  await symlink('/etc', join(folder, 'link-out'))
  await symlink('/etc/passwd', join(folder, 'link-file'))
  await symlink('link-circle', join(folder, 'link-circle'))
  await symlink('nowhere', join(folder, 'link-nowhere'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  return folder
}
