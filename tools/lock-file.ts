import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './run.ts'

/**
 * Completes package-lock.json, or reports with `--check` what is missing.
 *
 * A package with native code has one further package for each platform. npm omits those from the lock file that the
 * registry in use does not have, as is common for mirrors, and `npm ci` of npm 11 then refuses the lock file on every
 * machine. An entry with name, version and platform is enough: it is only looked up on that platform. Without the
 * digest of the package, npm would install anything it gets there.
 */
interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>
}

const systems = 'aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32'
const processors = 'arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64'
const libraries = 'eabi|gnueabihf|gnu|msvc|musleabihf|musl'
const native = new RegExp(`[-/](?<os>${systems})-(?<cpu>${processors})(?:-(?<library>${libraries}))?$`)

const file = join(root, 'package-lock.json')
const lock: LockFile = JSON.parse(await readFile(file, 'utf8'))
const missing = Object.entries(lock.packages).flatMap(([path, entry]) => listMissing(path, entry))
const { '': project = {}, ...packages } = { ...lock.packages, ...Object.fromEntries(missing) }
const unverified = Object.entries(packages).filter(([, { integrity }]) => integrity === undefined)
if (process.argv.includes('--check')) {
  for (const [path] of missing)
    process.stdout.write(`package-lock.json lacks ${path}: node tools/lock-file.ts adds it\n`)
  for (const [path] of unverified)
    process.stdout.write(`package-lock.json has no integrity of ${path}: node tools/lock-file.ts adds it\n`)
  process.exitCode = missing.length + unverified.length === 0 ? 0 : 1
} else if (missing.length + unverified.length > 0) {
  for (const [path, entry] of unverified) packages[path] = { ...entry, integrity: askIntegrity(path, entry) }
  const sorted = Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en'))
  const completed = { ...lock, packages: { '': project, ...Object.fromEntries(sorted) } }
  await writeFile(file, `${JSON.stringify(completed, null, 2)}\n`)
}

/** Asks the registry for the integrity of a package. */
function askIntegrity(path: string, { version }: LockEntry): string {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const text = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (/^sha512-[\w+/]+=*$/.test(text)) return text
  throw new Error(`the registry has no integrity of ${name}@${version}`)
}

function listMissing(parent: string, { dev = false, optionalDependencies = {} }: LockEntry): [string, LockEntry][] {
  return Object.entries(optionalDependencies)
    .filter(([name]) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${parent}/node_modules/${name}`])
    .map(([name, version]) => [`node_modules/${name}`, { version, ...(dev && { dev }), ...describePlatform(name) }])
}

function describePlatform(name: string): LockEntry {
  if (name.endsWith('-wasm32-wasi')) return { optional: true, cpu: ['wasm32'] }
  const { os, cpu, library = 'gnu' } = native.exec(name)?.groups ?? {}
  if (os === undefined || cpu === undefined) throw new Error(`no platform is known for the package ${name}`)
  const libc = library.startsWith('musl') ? 'musl' : 'glibc'
  return { optional: true, os: [os], cpu: [cpu], ...(os === 'linux' && { libc: [libc] }) }
}
