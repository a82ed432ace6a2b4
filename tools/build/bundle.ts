import crypto from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import util from 'node:util'
import { type InputOptions, type Plugin, rolldown } from 'rolldown'
import { minifySync } from 'rolldown/utils'
import { fleetFileSchema } from '../../src/model/fleet-file.ts'
import { integrations, ofPlaywright, runners } from './integrations.ts'
import { oldestNode } from './oldest-node.ts'
import { renderValidator } from './validator.ts'

/** Source of each integration. */
const entriesOf = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, `src/integrations/${name}.ts`]))

/** Files that are called or imported by name; everything else is a chunk that one of them loads. */
const entries = {
  index: 'src/index.ts',
  'cli/main': 'src/cli/main.ts',
  'lender/main': 'src/lender/main.ts',
  ...entriesOf(integrations.filter((name) => !ofPlaywright.includes(name))),
}

/**
 * Finding and loading each file takes time, so most calls need only three files: the library, the call and the core. Rarely
 * needed and slow modules stay separate.
 */
const call =
  /[\\/]src[\\/](?:plan[\\/]format|cli[\\/](?:call|commands|fold-summary|format-failure|load-command|output|palette|parse-call|parse-options|run-call|answer)\.|cli[\\/]commands[\\/])/
/** What `import 'testfleet'` loads: the client and its handles. A call loads the rest. */
const library =
  /^\0(?:node:crypto$|@oxc-project)|[\\/]src[\\/](?:api[\\/](?!calls[\\/]|(?:call|command-caller|describe-command|fleet-names|hand-over|hold-copies|start-pools|standby-source)\.)|model[\\/](?:failures|find-endpoint|on-abort|standby|surface|unknown-server|until-aborted)\.|endpoints[\\/]endpoint-url\.|formats[\\/](?:nearest|url-schemes)\.)/
/** What a command needs that is run on a standby copy. None of it imports the core. */
const take =
  /^\0node:util$|[\\/]src[\\/](?:current-host|command-in-session|api[\\/](?:command-caller|standby-source|describe-command|check-options|start-pools|calls[\\/]run(?:-on-standby)?)|standby[\\/](?:take|socket|leave)|lender[\\/](?:client|connection|protocol)|config[\\/](?:locate|trust)-fleet-file|files[\\/]ownership|endpoints[\\/](?:environment|trust-variables)|formats[\\/](?:duration|export-template|grammar|paths|proxy-variables|reserved-variables|strip-controls|timestamp|word-error)|names[\\/](?!(?:namespace|proxy)[.])[a-z-]+|report[\\/](?:command-list|unusable|variables)|sessions[\\/](?:lender-socket|make-id|processes|taken-down|keeper[\\/](?:client|guard|protocol))|model[\\/](?:host|running|session|engine-endpoint))[.]ts$/
const core =
  /^\0node:|[\\/]src[\\/](?!version|names|audit|supply|lender|integrations|lease|standby|api[\\/]fleet-names|images\.|ready[\\/](?:rare-)?protocols|engine[\\/]docker[\\/](?:exec|process-output)|files[\\/]archive|runtime[\\/]processes[\\/](?!with-processes|follow-events|process-table|server-folder)|certificates|cli[\\/](?!call)|model[\\/](?:fleet-file(?!-rules)|finding|preset-file)|config[\\/](?:describe-presets|explain|image-fields|json-schema|read-yaml)|images[\\/](?:build-image|record-packages))/

/**
 * Writes the bundle to `folder`, including packages: finding and loading their hundred files takes longer than
 * everything else in most calls. An `import()` of a command stays a separate file, loaded on demand.
 *
 * Returns the paths of all modules in the bundle.
 */
export async function bundle(root: string, folder: string): Promise<ReadonlySet<string>> {
  const options = {
    cwd: root,
    platform: 'node',
    // Newer syntax, such as `using`, is written as older syntax.
    transform: { target: oldestNode() },
    preserveEntrySignatures: 'allow-extension',
    // Warnings about slow callbacks depend on how busy the machine is.
    checks: { bundlerTimings: false },
    external: [/^node:(?!(?:http|crypto|util)$)/, ...runners],
    // Imported for its effect; package.json says that no file has one.
    treeshake: { moduleSideEffects: [{ test: /[\\/]require-node[.]ts$/, sideEffects: true }] },
    plugins: [withoutUnusedExports, generatedValidator(root), smallPackages],
    tsconfig: join(root, 'tsconfig.json'),
    onLog(level, log) {
      if (level === 'warn') throw new Error(`rolldown: ${log.message}`)
    },
  } satisfies InputOptions
  await bundleAlone(options, 'src/sessions/keeper/main.ts', join(folder, 'keeper'))
  await bundleAlone(options, 'src/engine/local/user/main.ts', join(folder, 'local-engine'))
  await bundleAlone(options, 'src/runtime/processes/supervisor/main.ts', join(folder, 'supervisor'))
  await bundleAlone(options, 'src/engine/local/restarter/main.ts', join(folder, 'restarter'))
  await bundlePlaywright(options, folder)
  const build = await rolldown({ ...options, input: entries })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'library', test: library },
        { name: 'take', test: take },
        { name: 'call', test: call },
        { name: 'core', test: core, minShareCount: 2 },
      ],
    },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  })
  await build.close()
  for (const chunk of output) if (chunk.type === 'chunk') refuseCore(chunk)
  await copyFile(join(root, 'tools/build/launcher.cjs'), join(folder, 'cli/testfleet.cjs'))
  await copyFile(join(root, 'src/integrations/jest.cjs'), join(folder, 'jest.cjs'))
  for (const name of ['node-hook.cjs', 'command-guard.cjs'])
    await copyFile(join(root, 'src/names', name), join(folder, 'cli', name))
  return new Set(output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** The core imports the library: if the library imported the core, too, one of them would run without the other's classes. */
function refuseCore({ name, imports }: { readonly name: string; readonly imports: readonly string[] }): void {
  if (!['library', 'take'].includes(name) || !imports.some((path) => path.includes('core-'))) return
  throw new Error(
    `the file ${name} imports the core: add what it needs from there to its list in tools/build/bundle.ts`,
  )
}

/**
 * Bundles a program that stays when the one that started it is over, such as the keeper: the two share no file. Its first
 * file loads quickly; the rest is loaded later.
 */
async function bundleAlone(options: InputOptions, input: string, dir: string): Promise<void> {
  const build = await rolldown({ ...options, input })
  await build.write({
    dir,
    format: 'esm',
    entryFileNames: 'main.js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  })
  await build.close()
}

/**
 * Bundles what Playwright imports. It compiles the files of a linked package, and cannot do that for a module that is
 * required: so this imports the library, in place of what src/integrations/library.ts does.
 */
async function bundlePlaywright(options: InputOptions, folder: string): Promise<void> {
  const library = /^\.\.?\/(?:index|library)\.ts$/
  const build = await rolldown({
    ...options,
    input: entriesOf(ofPlaywright),
    external: [/^node:/, ...runners, /^\.\/index\.js$/],
    plugins: [
      {
        name: 'imported-library',
        resolveId: { order: 'pre', filter: { id: library }, handler: () => ({ id: './index.js', external: true }) },
      },
    ],
  })
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'playwright-common.js',
  })
  await build.close()
}

/** Replaces the validator that uses zod by the generated one. */
function generatedValidator(root: string): Plugin {
  const model = join(root, 'src/model')
  const formats = join(root, 'src/formats')
  return {
    name: 'generated-validator',
    load: {
      filter: { id: /[\\/]src[\\/]config[\\/]validate\.ts$/ },
      handler: () =>
        renderValidator(fleetFileSchema, 'isFleetFile', {
          rules: join(model, 'fleet-file-rules.ts'),
          grammar: join(formats, 'grammar.ts'),
          pathRules: join(formats, 'paths.ts'),
        }),
    },
  }
}

/**
 * Modules whose `import` reads every export, including getters that load further modules: http loads undici for
 * `WebSocket` (30 of a call's 75 ms), util all of worker_threads, crypto its web API (Node 24.21). Asking for the
 * module by name reads only what is used.
 */
const lazyModules = { http, crypto, util }

const withoutUnusedExports: Plugin = {
  name: 'without-unused-exports',
  resolveId: {
    order: 'pre',
    filter: { id: /^node:(?:http|crypto|util)$/ },
    handler: (id, _, { kind }) => (kind === 'dynamic-import' ? { id, external: true } : `\0${id}`),
  },
  load: {
    filter: { id: /^\0node:/ },
    handler(id) {
      const name = id.slice('\0node:'.length) as keyof typeof lazyModules
      return [
        `const module = process.getBuiltinModule('node:${name}')`,
        'export default module',
        ...Object.keys(lazyModules[name])
          .filter((key) => key !== 'default')
          .map((key) => `export const ${key} = /* @__PURE__ */ (() => module.${key})()`),
      ].join('\n')
    },
  },
}

/** Minifies packages, because their text takes time to load. Our own code stays readable, for the stack of a bug. */
const smallPackages: Plugin = {
  name: 'small-packages',
  renderChunk(code, { fileName, moduleIds }) {
    if (!moduleIds.some((id) => /[\\/]node_modules[\\/]/.test(id))) return null
    return minifySync(fileName, code, { module: true, mangle: { toplevel: false } }).code
  },
}
