import { copyFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { type InputOptions, type Plugin, rolldown } from 'rolldown'
import { fleetFileSchema } from '../../src/model/fleet-file.ts'
import { renderValidator } from './validator.ts'

/** The files that are called or imported by name; everything else is a chunk that one of them loads. */
const entries = {
  index: 'src/index.ts',
  'cli/main': 'src/cli/main.ts',
}

/**
 * Every file takes its time to be found and loaded: what most calls need is one file, 15 of the 190 ms of a second `up`.
 * What few need, or what is slow to load, stays a file of its own.
 */
const core =
  /[\\/]src[\\/](?!version|files|names|certificates|cli[\\/](?!call)|model[\\/](?:fleet-file(?!-rules)|finding|preset-file)|config[\\/](?:describe-presets|explain|image-fields|json-schema|read-yaml)|images[\\/]build-image)/

/**
 * Writes the bundle to `folder`. Packages go inside: finding and loading their hundred files takes longer than all
 * that testfleet does for most calls. A command's `import()` stays a file of its own, loaded when it is called.
 *
 * @returns the paths of all modules that are in the bundle
 */
export async function bundle(root: string, folder: string): Promise<ReadonlySet<string>> {
  const options = {
    cwd: root,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    external: /^node:(?!http$)/,
    plugins: [withoutUndici, generatedValidator(root)],
    tsconfig: join(root, 'tsconfig.json'),
    onLog(level, log) {
      if (level === 'warn') throw new Error(`rolldown: ${log.message}`)
    },
  } satisfies InputOptions
  await bundleKeeper(options, folder)
  const build = await rolldown({ ...options, input: entries })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: 'core', test: core, minShareCount: 3 }] },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  })
  await build.close()
  await copyFile(join(root, 'tools/build/launcher.cjs'), join(folder, 'cli/testfleet.cjs'))
  await copyFile(join(root, 'src/names/node-hook.cjs'), join(folder, 'cli/node-hook.cjs'))
  return new Set(output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])))
}

/** Shares no file with the program that it guards. Its first file loads in a moment; the rest once it is at work. */
async function bundleKeeper(options: InputOptions, folder: string): Promise<void> {
  const build = await rolldown({ ...options, input: 'src/sessions/keeper/main.ts' })
  await build.write({
    dir: join(folder, 'keeper'),
    format: 'esm',
    entryFileNames: 'main.js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  })
  await build.close()
}

/** Puts the generated validator in place of the one that asks zod. */
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
 * An `import` of node:http reads every export of it, and with `WebSocket` loads undici, which nobody asked for: 30 of
 * the 75 ms that a call of testfleet takes (Node 24.21). Asking for the module by name reads only what is used.
 */
const withoutUndici: Plugin = {
  name: 'without-undici',
  resolveId: { order: 'pre', filter: { id: /^node:http$/ }, handler: () => '\0node:http' },
  load: {
    filter: { id: /^\0node:http$/ },
    handler() {
      const names = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(([, { get }]) => get === undefined)
      return [
        `const http = process.getBuiltinModule('node:http')`,
        'export default http',
        ...names.map(([name]) => `export const ${name} = /* @__PURE__ */ (() => http.${name})()`),
      ].join('\n')
    },
  },
}
