import { createRequire } from 'node:module'
import type * as Library from '../index.ts'

const isSource = import.meta.url.endsWith('.ts')

/**
 * The library, loaded by Node itself. A runner that transforms what it imports would otherwise transform all of it, for each
 * test file, where the package is linked and not in `node_modules`.
 */
const library: typeof Library = createRequire(import.meta.url)(isSource ? '../index.ts' : 'testfleet')

export const Testfleet: typeof Library.Testfleet = library.Testfleet
export const TestfleetError: typeof Library.TestfleetError = library.TestfleetError
export const VERSION: string = library.VERSION

export type Testfleet = Library.Testfleet
export type TestfleetError = Library.TestfleetError
