import { mainFile } from './command.ts'

/** The library as it is installed when dist/ is newer than the source, else from source. */
const library: typeof import('../../src/index.ts') = mainFile.endsWith('.cjs')
  ? await import(new URL('../../dist/index.js', import.meta.url).href)
  : await import('../../src/index.ts')

export const { startFleet, defineFleet, TestfleetError, FleetFileError } = library
