import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { suites } from './suites.ts'

const help = `usage: node tools/suites/run.ts NAME FOLDER [OPTION…]

Runs the own tests of a client library with testfleet. FOLDER is its source with its packages, as its maintainers say how to install
them. Files are copied into it. Build testfleet first: \`node tools/build.ts\`. OPTIONs go to the test runner.

${Object.entries(suites)
  .map(
    ([name, { repository, needs }]) =>
      `  ${name.padEnd(16)}  ${repository}${needs ? `\n${''.padEnd(20)}needs ${needs}` : ''}`,
  )
  .join('\n')}
`

const [name = '', path, ...options] = process.argv.slice(2)
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
if (suite === undefined || path === undefined) {
  console.error(help)
  process.exit(2)
}
const folder = resolve(path)
const modules = join(folder, 'node_modules')
if (!existsSync(modules)) {
  console.error(`${folder} has no packages: install them first`)
  process.exit(2)
}

// As if it were installed: its manifest names no other package, and npm would ask the registry for it.
const root = join(import.meta.dirname, '../..')
rmSync(join(modules, 'testfleet'), { recursive: true, force: true })
for (const part of ['package.json', 'dist'])
  cpSync(join(root, part), join(modules, 'testfleet', part), { recursive: true })
cpSync(join(import.meta.dirname, name), folder, { recursive: true })

const PATH = [join(modules, '.bin'), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)
const [program = '', ...words] = suite.command
const { status } = spawnSync(program, [...words, ...options], {
  cwd: folder,
  env: { ...process.env, ...suite.environment, PATH },
  stdio: 'inherit',
})
process.exit(status ?? 1)
