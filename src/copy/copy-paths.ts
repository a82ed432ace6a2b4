import { posix } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'

/** A path as it was given, and the meaning of its end. */
export interface GivenPath {
  /** Without `/` or `/.` at its end. */
  readonly path: string
  /** Whether it ends with `/.`: the content of the folder, without the folder itself. */
  readonly isContents: boolean
  /** Whether its end says that it is a folder. */
  readonly isFolder: boolean
}

/** Reads a path of a server. A relative path starts at `/`. Fails with USAGE. */
export function readServerPath(text: string): GivenPath {
  if (text === '' || text.length > 4096 || text.includes('\0')) {
    throw new TestfleetError('USAGE', `${JSON.stringify(text.slice(0, 80))} is not a path of a server`, {
      hint: 'Write SERVER:PATH, such as db:/etc/passwd.',
    })
  }
  return { path: posix.resolve('/', text), ...readEnd(text) }
}

export function readEnd(text: string): Omit<GivenPath, 'path'> {
  const isContents = /(?:^|\/)\.$/.test(text)
  return { isContents, isFolder: isContents || text.endsWith('/') }
}

/**
 * Fails with COPY_FAILED for a path that exists only in the running server: engines copy from and to its files on disk,
 * and would miss it, or write where no program of the server looks.
 */
export function requireOnDisk(path: string, server: string): void {
  const [, folder] = /^(\/(?:dev|proc|sys))(?:\/|$)/.exec(path) ?? []
  if (folder === undefined) return
  throw new TestfleetError('COPY_FAILED', `an engine cannot copy from or to ${folder} of a server: ${path}`, {
    hint: `Use a program of the server instead: ${say('exec', server, `cat ${path}`)}.`,
  })
}

/** Kind of the file at a path; undefined if there is none. */
export type Kind = 'file' | 'folder' | 'link' | undefined

export interface Arrival {
  /** The folder that receives the copy. It must exist. */
  readonly folder: string
  /** Name of the copy in that folder; empty for the content of a folder. */
  readonly name: string
}

interface Journey {
  readonly from: { readonly kind: 'file' | 'folder' | 'link'; readonly name: string; readonly isContents: boolean }
  readonly to: { readonly path: string; readonly kind: Kind; readonly isFolder: boolean }
  /** Parent folder and last name of the target path. */
  readonly parent: string
  readonly last: string
  /** Place of the target, for messages: a server, or this machine. */
  readonly where: string
}

/**
 * Decides where a copy arrives, as `docker cp` does: a file or folder goes into a folder that is there, and keeps its
 * name; otherwise the target is its new name. `/.` at the end of a source means what is in the folder. Fails with COPY_FAILED.
 */
export function decideArrival({ from, to, parent, last, where }: Journey): Arrival {
  const refuse = (message: string): TestfleetError => new TestfleetError('COPY_FAILED', message)
  if (to.kind === 'folder') {
    if (from.isContents) return { folder: to.path, name: '' }
    return from.name === '' ? { folder: to.path, name: '' } : { folder: to.path, name: from.name }
  }
  if (to.kind !== undefined && to.isFolder) throw refuse(`${to.path} ${where} is not a folder`)
  if (to.kind !== undefined && from.kind === 'folder')
    throw refuse(`${to.path} ${where} is a file; a folder cannot replace it`)
  if (to.kind === undefined && to.isFolder && from.kind !== 'folder')
    throw refuse(`there is no folder ${to.path} ${where}`)
  return { folder: parent, name: last }
}
