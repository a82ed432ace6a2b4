// Finds the command testfleet.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { annotate } from './github.mjs'

/** Time in which a testfleet says its version. */
const VERSION_MS = 60_000

/** Returns the first that starts of those on the PATH, and in `node_modules/.bin` of the working folder or above. */
export function findInstalled() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules/.bin'))
    if (dirname(folder) === folder) break
  }
  return folders
    .map((folder) => join(folder, 'testfleet'))
    .filter(isProgram)
    .find(works)
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function works(path) {
  try {
    execFileSync(path, ['version'], { stdio: 'ignore', timeout: VERSION_MS, killSignal: 'SIGKILL' })
    return true
  } catch {
    // It needs a newer Node than some runners have.
    const message = `${path} is not used, because it does not start. It may need a newer Node.js, such as from actions/setup-node`
    annotate('notice', message, { title: 'testfleet' })
    return false
  }
}

/** The action is a checkout of testfleet, which brings its own Node. */
export function buildOwn() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const own = { cwd: root, stdio: ['ignore', 2, 2] }
  if (!existsSync(join(root, 'dist/cli/testfleet.cjs'))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], own)
    execFileSync(join(root, 'node_modules/node/bin/node'), ['tools/build.ts'], own)
  }
  return join(root, 'bin/testfleet')
}
