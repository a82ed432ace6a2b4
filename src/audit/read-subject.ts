import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readBytesInside } from '../files/inside.ts'
import { parseDockerfile } from '../formats/dockerfile.ts'
import { type IgnoreFile, readIgnoreFile } from '../formats/ignore-file.ts'
import { slashPath } from '../formats/paths.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { CopiedFile, Dockerfile, OwnLeaf, Subject } from './subject.ts'
import { listSteps, recipesOf } from './walk.ts'

/** A larger file is no configuration, and is not read. */
const MOST_BYTES = 1024 * 1024
/** Number of copied files that are read. Only the names of further files are checked. */
const MOST_FILES = 500
/** Number of names, files or folders, after which a folder is not searched further. */
const MOST_NAMES = 20_000

/** Reads what the rules need besides the fleet: only files in the fleet's folder or named by the fleet file. */
export async function readSubject(fleet: Fleet, environment: Host['environment']): Promise<Subject> {
  const [files, dockerfiles, certificates] = await Promise.all([
    readCopiedFiles(fleet),
    readDockerfiles(fleet),
    readOwnLeaves(fleet),
  ])
  const callerVariables = new Set(Object.keys(environment).filter((name) => environment[name] !== undefined))
  return { fleet, callerVariables, files, dockerfiles, certificates, nowMs: Date.now() }
}

async function readCopiedFiles(fleet: Fleet): Promise<CopiedFile[]> {
  const named: (Omit<CopiedFile, 'text'> & { readonly path: string })[] = []
  for (const { server, at, steps } of listSteps(fleet)) {
    for (const [index, { source }] of steps.copy.entries()) {
      if (source.kind !== 'path') continue
      const from = { server, at: [...at, 'copy', index, 'from'] }
      const ignore = readIgnoreFile(source.ignored.join('\n'))
      const paths = await listFiles(source.path, MOST_NAMES - named.length, ignore)
      named.push(...paths.map((path) => ({ ...from, path, shown: slashPath(fleet.folder, path) })))
    }
  }
  const texts = new Map<string, string | undefined>()
  for (const { path } of named) {
    if (texts.size >= MOST_FILES) break
    if (!texts.has(path)) texts.set(path, await readText(path))
  }
  return named.map(({ path, ...file }) => ({ ...file, text: texts.get(path) }))
}

/** Returns the path itself, or the copied files below it. Links are copied as links. */
async function listFiles(top: string, room: number, ignore: IgnoreFile): Promise<string[]> {
  const root = await realpath(top).catch(() => top)
  const found: string[] = []
  let seen = 0
  const visit = async (path: string): Promise<void> => {
    for (const member of await listMembers(path)) {
      if (seen++ >= room) return
      const inside = join(path, member.name)
      const shown = slashPath(top, inside)
      const isIgnored = ignore.ignores(shown)
      if (member.isFile() && !isIgnored) found.push(inside)
      if (member.isDirectory() && (!isIgnored || ignore.mayKeepInside(shown))) await visit(inside)
    }
  }
  const stats = await lstat(root).catch(() => undefined)
  if (stats?.isDirectory()) await visit(top)
  else if (stats?.isFile() && room > 0) found.push(top)
  return found
}

async function listMembers(folder: string): Promise<Dirent[]> {
  const members = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
  return members.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Undefined for a file that is too large, is not text, or cannot be read: other commands report that. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const text = (await readBytesInside(path, undefined, MOST_BYTES)).toString('utf8')
    return text.slice(0, 8192).includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

/** Loading the fleet has checked that they can be read. */
async function readOwnLeaves(fleet: Fleet): Promise<ReadonlyMap<string, OwnLeaf>> {
  const servers = [...fleet.servers.values()].filter(({ tls }) => tls?.own !== undefined)
  if (servers.length === 0) return new Map()
  // Loaded on demand: most fleets bring no certificates.
  const { readOwnLeaf } = await import('../files/own-certificate.ts')
  const found = await Promise.all(
    servers.map(async ({ name, tls }): Promise<[string, OwnLeaf][]> => {
      const leaf = tls?.own && (await readOwnLeaf(tls.own))
      if (leaf === undefined) return []
      const shown = slashPath(fleet.folder, tls?.own?.certificate.path ?? '')
      const [fromMs, untilMs] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
      return [[name, { shown, fromMs, untilMs, isValidFor: (host) => leaf.checkHost(host) !== undefined }]]
    }),
  )
  return new Map(found.flat())
}

async function readDockerfiles(fleet: Fleet): Promise<Dockerfile[]> {
  const found: Dockerfile[] = []
  for (const server of fleet.servers.values()) {
    for (const recipe of recipesOf(server)) {
      if (recipe.kind !== 'dockerfile') continue
      const text = await readText(recipe.dockerfile)
      if (text === undefined) continue
      const file = join(dirname(fleet.source.file), slashPath(fleet.folder, recipe.dockerfile))
      const instructions = parseDockerfile(text)
      found.push({ server: server.name, at: recipe.at, file, target: recipe.target, instructions })
    }
  }
  return found
}
