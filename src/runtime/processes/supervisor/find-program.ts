import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { wordFileError } from '../../../formats/word-error.ts'
import { TestfleetError } from '../../../model/failures.ts'
import type { ProgramSpec } from '../protocol.ts'

/** Number of folders of the PATH that a message shows: it can have dozens. */
const MOST_FOLDERS = 5

/** Returns the path of a program, as a shell would find it. Fails with COMMAND_NOT_FOUND, or with START_FAILED without its folder. */
export function findProgram({
  command: [name = ''],
  folder,
  environment,
}: Pick<ProgramSpec, 'command' | 'folder' | 'environment'>): string {
  checkFolder(folder)
  const isPath = name.includes('/')
  const folders = isPath ? [''] : (environment.PATH ?? '/usr/bin:/bin').split(delimiter)
  const paths = folders.map((one) => resolve(folder, join(one, name)))
  const found = paths.find(isProgram)
  if (found === undefined) throw notFound(name, isPath ? (paths[0] ?? name) : undefined, folders)
  checkInterpreter(found)
  return found
}

function checkFolder(folder: string): void {
  const why = explainFolder(folder)
  if (why === undefined) return
  throw new TestfleetError('START_FAILED', `the working folder ${folder} cannot be used: ${why}`, {
    hint: 'Create it, or correct `workingDir`.',
  })
}

function explainFolder(folder: string): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) return 'it is a file'
    accessSync(folder, constants.X_OK)
    return undefined
  } catch (error) {
    return wordFileError(error)
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function notFound(name: string, path: string | undefined, folders: readonly string[]): TestfleetError {
  const text = JSON.stringify(name)
  if (path === undefined) {
    const message = `the program ${text} is in no folder of the PATH: ${listFolders(folders)}`
    return new TestfleetError('COMMAND_NOT_FOUND', message, { hint: 'Check its spelling, or install it.' })
  }
  let why = 'it is not an executable file'
  try {
    statSync(path)
  } catch (error) {
    why = wordFileError(error)
  }
  return new TestfleetError('COMMAND_NOT_FOUND', `the program ${text} cannot be run: ${path}: ${why}`, {
    hint: 'Check its path, and that it is executable.',
  })
}

function listFolders(folders: readonly string[]): string {
  const shown = folders.slice(0, MOST_FOLDERS).join(delimiter)
  const left = folders.length - MOST_FOLDERS
  return left > 0 ? `${shown} and ${left} more` : shown
}

/** For a script without its interpreter, the system would report the script as missing. */
function checkInterpreter(path: string): void {
  const interpreter = /^#![ \t]*(\S+)/.exec(readStart(path))?.[1]
  if (interpreter === undefined || isProgram(interpreter)) return
  throw new TestfleetError(
    'COMMAND_NOT_FOUND',
    `${path} cannot be run: its interpreter ${interpreter} does not exist`,
    {
      hint: 'Install the interpreter in the first line of the script, or correct that line.',
    },
  )
}

/** Reads as much of the file as the system does. A program that cannot be read can still be run. */
function readStart(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(256)
      return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}
