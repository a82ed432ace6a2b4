import { pathToFileURL } from 'node:url'
import { mainFile } from './command.ts'

/** The library as it is installed when dist/ is newer than the source, else from source. */
export const libraryFile = new URL(mainFile.endsWith('.cjs') ? '../index.js' : '../index.ts', pathToFileURL(mainFile))
  .href

const library: typeof import('../../src/index.ts') = await import(libraryFile)

export const { startFleet, Testfleet, TestfleetError } = library
