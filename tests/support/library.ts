import { pathToFileURL } from 'node:url'
import { mainFile } from './command.ts'

/** The library as it is installed when dist/ is newer than the source, else from source. */
export const libraryFile = new URL(mainFile.endsWith('.cjs') ? '../index.js' : '../index.ts', pathToFileURL(mainFile))
  .href

const library: typeof import('../../src/index.ts') = await import(libraryFile)

export const { startFleet, Testfleet, TestfleetError } = library

/** Reads lines to their end, and returns their texts. */
export async function readTexts(lines: AsyncIterable<{ readonly text: string }>): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of lines) texts.push(text)
  return texts
}

/** What a command in a server of the folder's session prints; it has to succeed. A child process costs much more. */
export async function lookInto(folder: string, server: string, command: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await new Testfleet({ folder }).exec(server, command)
  if (exitCode === 0) return stdout
  throw new Error(`${command.join(' ')} in ${server} ended with ${exitCode}:\n${stdout}${stderr}`)
}
