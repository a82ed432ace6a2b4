import ts from 'typescript-6'
import { beforeAll, describe, expect, it } from 'vitest'
import { fleetJsonSchema } from '../../src/config/json-schema.ts'
import { readLibraryTypes } from '../../tools/build/declarations.ts'
import { renderFlatTypes } from '../../tools/build/flatten-types.ts'
import { root } from '../../tools/run.ts'
import { wide } from '../support/tiers.ts'

/** What an editor offers and reports, asked of the same service of TypeScript that editors use. */

const head = `import { defineFleet, startFleet, type RunningFleet } from './testfleet'
const shop = defineFleet({ servers: { db: { preset: 'postgresql' }, dns: { image: 'x', ports: [53, '53/udp', 853] } } })
declare const fleet: RunningFleet<typeof shop>
`

let files: Map<string, string>
let service: ts.LanguageService
let version = 0

beforeAll(() => {
  files = new Map([['/project/testfleet.d.ts', renderFlatTypes(readLibraryTypes(root, fleetJsonSchema()))]])
  const read = (file: string): string | undefined => files.get(file) ?? ts.sys.readFile(file)
  service = ts.createLanguageService({
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: (file) => (file.endsWith('use.ts') ? String(version) : '1'),
    getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(read(file) ?? ''),
    getCurrentDirectory: () => '/project',
    getCompilationSettings: () => ({
      ...{
        strict: true,
        target: ts.ScriptTarget.ES2024,
        lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
        types: [],
      },
      ...{ module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
    }),
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (file) => read(file) !== undefined,
    readFile: read,
  })
})

describe('an editor offers', () => {
  it.each([
    ['the names of servers', "fleet.server('|')", ['db', 'dns']],
    ['the ports of a server', "fleet.server('dns').endpoint(|)", ['53', '853']],
    ['the variables that the fleet exports', 'fleet.exports.|', ['DATABASE_URL', 'PGDATABASE', 'PGHOST']],
    ['the servers to start', "startFleet(shop, { servers: ['|'] })", ['db', 'dns']],
    ['the keys of a server', 'defineFleet({ servers: { db: { | } } })', ['aliases', 'build']],
    ['the options of a preset', "defineFleet({ servers: { a: { preset: 'redis', options: { | } } } })", ['cluster']],
  ])('%s', wide, (_, text, first) => {
    const at = head.length + text.indexOf('|')
    write(text.replace('|', ''))
    const names = service.getCompletionsAtPosition('/project/use.ts', at, {})?.entries.map(({ name }) => name)
    expect(names?.slice(0, first.length)).toEqual(first)
  })
})

describe('an editor reports', () => {
  it.each([
    [
      'an unknown preset',
      "defineFleet({ servers: { db: { preset: 'postgres' } } })",
      'postgres is not a preset of the catalogue',
    ],
    ['an unknown key', "defineFleet({ servers: { web: { image: 'x', prots: [80] } } })", 'prots is not a key here'],
    [
      'an unknown option',
      "startFleet({ servers: { db: { preset: 'redis', options: { user: 'x' } } } })",
      'user is not a key here',
    ],
    ['an unknown server', "fleet.server('dbb')", 'not assignable to parameter of type \'"db" | "dns"\''],
    ['an unknown port', "fleet.server('db').endpoint(3306)", "not assignable to parameter of type '5432'"],
  ])('%s', wide, (_, text, message) => {
    write(text)
    const found = service.getSemanticDiagnostics('/project/use.ts')
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([
      expect.stringContaining(message),
    ])
  })
})

function write(text: string): void {
  version++
  files.set('/project/use.ts', head + text)
}
