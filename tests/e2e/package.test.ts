import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parseSync } from 'rolldown/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasTooNewSyntax } from '../../tools/build/oldest-node.ts'
import { mainFile } from '../support/command.ts'
import { bundledFiles, consumerFiles } from '../support/consumer-files.ts'
import { wideIf } from '../support/tiers.ts'

/**
 * The package as a user gets it: packed, installed from its tarball into a project that has nothing else and no
 * network, called and imported there.
 */
const root = dirname(dirname(import.meta.dirname))

/** What may be in the tarball, and nothing else. */
const belongs = [
  /^(?:package\.json|README\.md|LICENSE)$/,
  /^dist\/(?:index\.js|testfleet\.schema\.json|testfleet\.1|THIRD_PARTY_NOTICES\.txt)$/,
  /^dist\/cli\/(?:main\.js|testfleet\.cjs|node-hook\.cjs|command-guard\.cjs)$/,
  /^dist\/(?:keeper|supervisor|local-engine|restarter)\/(?:main|chunks\/[\w.-]+)\.js$/,
  /^dist\/presets\/[a-z0-9-]+\/(?:preset\.json|README\.md|files\/[\w./-]+)$/,
  /^dist\/lender\/main\.js$/,
  /^dist\/presets\/serve$/,
  /^dist\/chunks\/[\w.-]+\.js$/,
  /^dist\/types\/index\.d\.ts$/,
  /^dist\/(?:vitest|node-test|mocha|jest(?:-setup|-teardown)?|playwright(?:-setup)?)\.js$/,
  /^dist\/jest\.cjs$/,
  /^clients\/(?:bats\/(?:README\.md|testfleet\.bash)|shell\/testfleet\.sh)$/,
  /^clients\/cmake\/(?:README\.md|Testfleet\w+\.cmake|testfleet-(?:find|launch|name-log)\.cmake|testfleet-ctest\.sh)$/,
  /^dist\/types\/integrations\/[\w-]+\.d\.ts$/,
]

let project: string
let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] }

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'testfleet-package-'))
  // A build replaces what other tests call meanwhile; one that is up to date is packed as it is.
  const scripts = mainFile.startsWith(join(root, 'dist')) ? ['--ignore-scripts'] : []
  const { stdout } = await call('npm', ['pack', '--json', ...scripts, '--pack-destination', project], root)
  // What `prepack` says comes first.
  packed = readPacked(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))))
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  await call('npm', ['install', '--offline', '--no-audit', '--no-fund', join(project, packed.filename)])
})

afterAll(async () => {
  await rm(project, { recursive: true, force: true })
})

describe('the tarball', () => {
  it('has the files of the package, and no others', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths.filter((path) => !belongs.some((pattern) => pattern.test(path)))).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/THIRD_PARTY_NOTICES.txt', 'dist/index.js']),
    )
  })

  it('has no syntax that the oldest Node of its manifest cannot read', async () => {
    const programs = packed.files.map(({ path }) => path).filter((path) => /\.c?js$/.test(path))
    expect(programs.length).toBeGreaterThan(50)
    const read = (path: string) => readFile(join(project, 'node_modules/testfleet', path), 'utf8')
    const found = await Promise.all(programs.map(async (path) => hasTooNewSyntax(path, await read(path))))
    expect(programs.filter((_, index) => found[index])).toEqual([])
  })

  it('needs no other package', async () => {
    const manifest = JSON.parse(await readFile(join(project, 'node_modules/testfleet/package.json'), 'utf8'))
    expect(manifest.dependencies ?? {}).toEqual({})
    // Only the test runners of a project, none of which it must have.
    const optional = Object.entries<{ optional: boolean }>(manifest.peerDependenciesMeta).filter(
      ([, one]) => one.optional,
    )
    expect(optional.map(([name]) => name)).toEqual(Object.keys(manifest.peerDependencies))
    // npm refuses a package next to a runner of another version, even when only its command is used.
    expect(new Set(Object.values(manifest.peerDependencies))).toEqual(new Set(['*']))
    expect(manifest.optionalDependencies ?? {}).toEqual({})
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'))
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/testfleet'])
  })

  it('has a manifest whose paths all exist, with the types first', async () => {
    const folder = join(project, 'node_modules/testfleet')
    const { exports, main, types, bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    expect(Object.keys(exports['.'])).toEqual(['types', 'default'])
    expect([types, main]).toEqual(Object.values(exports['.']))
    const targets: string[] = [types, main, ...Object.values<string>(bin), ...Object.values(exports).flatMap(pathsOf)]
    for (const target of targets) expect((await stat(join(folder, target))).isFile(), target).toBe(true)
  })

  it('runs no script when it is installed', async () => {
    const manifest = JSON.parse(await readFile(join(project, 'node_modules/testfleet/package.json'), 'utf8'))
    const scripts = Object.keys(manifest.scripts ?? {})
    expect(scripts.filter((name) => /^(?:pre|post)?install$|^(?:pre|post)?prepare$/.test(name))).toEqual([])
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'))
    expect(lock.packages['node_modules/testfleet'].hasInstallScript).toBeUndefined()
  })

  it('has the licence of each bundled package', async () => {
    const notices = await readFile(join(project, 'node_modules/testfleet/dist/THIRD_PARTY_NOTICES.txt'), 'utf8')
    for (const name of ['modern-tar', 'yaml', 'zod']) expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'))
  })
})

describe('the command', () => {
  it('prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(await call('npx', ['--no', 'testfleet', 'version'])).toMatchObject({ stdout: `testfleet ${version}\n` })
  })

  it('prints the same schema as the file in the package', async () => {
    const { stdout } = await call('npx', ['--no', 'testfleet', 'schema'])
    const file = await readFile(join(project, 'node_modules/testfleet/dist/testfleet.schema.json'), 'utf8')
    expect(JSON.parse(stdout)).toEqual(JSON.parse(file))
  })

  it('checks a fleet file of TypeScript that imports the package', async () => {
    await writeFile(
      join(project, 'testfleet.ts'),
      `import { defineFleet } from 'testfleet'
       export default defineFleet({ name: 'typed', servers: { web: { image: 'nginx', ports: [80] } } })`,
    )
    const { stdout } = await call('npx', ['--no', 'testfleet', 'check'])
    expect(stdout).toContain('testfleet.ts is valid: 1 server')
  })

  it('is found by CMake next to the package for it, which has the same version', async () => {
    const text = 'cmake_minimum_required(VERSION 3.19)\nproject(consumer NONE)\nfind_package(Testfleet 0.1 REQUIRED)\n'
    await writeFile(
      join(project, 'CMakeLists.txt'),
      `${text}message("is \${Testfleet_VERSION} at \${TESTFLEET_BIN}")\n`,
    )
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const path = join(project, 'node_modules/.bin/testfleet')
    const { stderr } = await call('cmake', ['-B', 'build', '-DCMAKE_PREFIX_PATH=node_modules/testfleet/clients'])
    expect(stderr).toBe(`is ${version} at ${path}\n`)
  })

  it('tells an older Node which version it needs', async () => {
    await writeFile(
      join(project, 'older.cjs'),
      "Object.defineProperty(process.versions, 'node', { value: '22.17.9' })\nprocess.argv.splice(1, 1)\n",
    )
    const command = join(project, 'node_modules/testfleet/dist/cli/testfleet.cjs')
    await expect(call('node', ['--require', join(project, 'older.cjs'), command, 'version'])).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('testfleet needs Node.js 22.18 or newer'),
    })
  })
})

describe('the library', () => {
  it('can be imported from JavaScript', async () => {
    await writeFile(
      join(project, 'use.js'),
      `import { defineFleet, startFleet, TestfleetError, VERSION } from 'testfleet'
       import schema from 'testfleet/schema.json' with { type: 'json' }
       const error = await startFleet({ servers: {} }, { engine: 'unix:///nonexistent' }).catch((error) => error)
       console.log(JSON.stringify({
         fleet: defineFleet({ servers: { web: { image: 'nginx' } } }), schema: schema.$schema, VERSION,
         code: error instanceof TestfleetError && error.code }))`,
    )
    const { stdout } = await call('node', ['use.js'])
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(JSON.parse(stdout)).toEqual({
      fleet: { servers: { web: { image: 'nginx' } } },
      schema: 'https://json-schema.org/draft/2020-12/schema',
      VERSION: version,
      code: 'FLEET_FILE_INVALID',
    })
  })

  it('tells an older Node which version it needs, before anything that such a Node lacks', async () => {
    await writeFile(
      join(project, 'older-library.cjs'),
      "Object.defineProperty(process.versions, 'node', { value: '20.9.0' })\nprocess.getBuiltinModule = undefined\n",
    )
    const load = "import('testfleet').catch((error) => console.log(error.message))"
    const { stdout } = await call('node', ['--require', join(project, 'older-library.cjs'), '--eval', load])
    expect(stdout).toMatch(/^testfleet needs Node\.js 22\.18 or newer; this is v20\.9\.0 \(.+\)\n$/)
  })

  it('loads the client and its handles only; a call loads the rest', async () => {
    const loaded = await findLoaded(join(project, 'node_modules/testfleet/dist/index.js'))
    const names = [...loaded.keys()].map((path) => basename(path).replace(/-[\w-]{8}\.js$/, ''))
    expect(names.sort()).toEqual(['index.js', 'library', 'version'])
    expect([...loaded.values()].reduce((sum, bytes) => sum + bytes)).toBeLessThan(98_000)
  })

  it('can be required from CommonJS', async () => {
    await writeFile(
      join(project, 'use.cjs'),
      `const { defineFleet, startFleet, TestfleetError, VERSION } = require('testfleet')
       const schema = require('testfleet/schema.json')
       startFleet({ servers: {} }, { engine: 'unix:///nonexistent' }).catch((error) => console.log(JSON.stringify({
         fleet: defineFleet({ servers: { web: { image: 'nginx' } } }), title: schema.title, VERSION,
         code: error instanceof TestfleetError && error.code })))`,
    )
    const { stdout, stderr } = await call('node', ['use.cjs'])
    expect(JSON.parse(stdout)).toMatchObject({
      fleet: { servers: { web: { image: 'nginx' } } },
      title: 'testfleet fleet file',
      code: 'FLEET_FILE_INVALID',
    })
    // Node.js warns of what is experimental.
    expect(stderr).toBe('')
  })

  for (const { module, moduleResolution, files } of [
    { module: 'NodeNext', moduleResolution: 'NodeNext', files: consumerFiles },
    { module: 'ESNext', moduleResolution: 'Bundler', files: bundledFiles },
  ])
    it(`has types that need no other package, with modules as ${module}`, wideIf(module === 'ESNext'), async () => {
      const folder = join(project, `typed-${module}`)
      await mkdir(folder)
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
      const written = await call('npx', ['--no', 'testfleet', 'types', '--output', 'testfleet.types.d.ts'], folder)
      expect(written).toMatchObject({ stdout: 'wrote testfleet.types.d.ts\n' })
      const compilerOptions = {
        ...{ target: 'ES2024', lib: ['ES2024', 'ESNext.Disposable', 'DOM'], types: [], module, moduleResolution },
        ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
        ...{ allowJs: true, checkJs: true, noEmit: true },
      }
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      expect(await call('node', [tsc, '-p', folder]).catch((error) => error)).toMatchObject({ stdout: '' })
    })
})

/** Paths of an entry of `exports`, whose conditions may be nested. */
function pathsOf(entry: unknown): string[] {
  return typeof entry === 'string' ? [entry] : Object.values(entry as object).flatMap(pathsOf)
}

/** npm 10 and 11 print a list, npm 12 an object by name. */
function readPacked(report: object): typeof packed {
  const [first] = Object.values(report)
  if (first === undefined) throw new Error('npm packed nothing')
  return first
}

/** Calls a program in the consumer's project, on the clone's Node, with nothing of the npm that runs the tests. */
function call(
  program: string,
  args: readonly string[],
  folder = project,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|VITEST|INIT_CWD|TEST$)/i.test(name))
  const path = (process.env.PATH ?? '').split(':').filter((part) => !part.includes('/node_modules/'))
  const PATH = [join(root, 'node_modules/node/bin'), ...path].join(':')
  return promisify(execFile)(program, args, { cwd: folder, env: { ...Object.fromEntries(inherited), PATH } })
}

/** Returns the files that a module loads before it runs, itself included, with their sizes. */
async function findLoaded(path: string, loaded = new Map<string, number>()): Promise<ReadonlyMap<string, number>> {
  if (loaded.has(path)) return loaded
  const code = await readFile(path, 'utf8')
  loaded.set(path, code.length)
  const { module } = parseSync(path, code)
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
  ]
  for (const request of requests) if (request?.startsWith('.')) await findLoaded(join(dirname(path), request), loaded)
  return loaded
}
