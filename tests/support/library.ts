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
