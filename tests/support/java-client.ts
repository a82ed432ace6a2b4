import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const cache = join(root, 'node_modules/.cache/java')

const javaClient = join(root, 'clients/junit')

/** Debian's JUnit, with its launcher. */
const junit = [
  ...['junit-jupiter-api', 'junit-jupiter-engine', 'junit-jupiter-params', 'junit-platform-commons'],
  ...['junit-platform-engine', 'junit-platform-launcher', 'junit-platform-console', 'junit-platform-reporting'],
  ...['opentest4j', 'apiguardian-api', 'picocli'],
].map((name) => `/usr/share/java/${name}.jar`)

/** Returns a folder with the classes of these folders of sources. What was compiled before is used again. */
async function compile(folders: readonly string[], more: readonly string[] = []): Promise<string> {
  const files: string[] = []
  for await (const file of glob(folders.map((folder) => join(folder, '**/*.java')))) files.push(file)
  const hash = createHash('sha256').update(more.join())
  for (const file of files.toSorted()) hash.update(`${file}\n${await readFile(file, 'utf8')}\n`)
  const classes = join(cache, hash.digest('hex').slice(0, 16))
  if (existsSync(classes)) return classes
  await mkdir(cache, { recursive: true })
  const made = await mkdtemp(join(cache, 'new-'))
  const options = ['--release', '17', '-encoding', 'UTF-8', '-Xlint:all,-path', '-Werror', '-d', made]
  await promisify(execFile)('javac', [...options, '-cp', [...more, ...junit].join(':'), ...files])
  // Another test may have made it meanwhile.
  await rename(made, classes).catch(() => rm(made, { recursive: true }))
  return classes
}

const start = ['/usr/bin/java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp']

/** Returns the classes of the client and of its own tests. */
function compileClient(): Promise<string> {
  compiledClient ??= compile([join(javaClient, 'src')])
  return compiledClient
}

let compiledClient: Promise<string> | undefined

/** Returns the program of the client in Java for tests of the wire. */
export async function buildJavaClient(): Promise<readonly string[]> {
  return [...start, await compileClient(), 'testfleet.junit.WireClient']
}

/** Returns the words that run the tests of a folder, or those of the client itself, with the launcher of JUnit. */
export async function buildJunit(folder?: string): Promise<readonly string[]> {
  const client = await compileClient()
  const classes = folder === undefined ? client : await compile([folder], [client])
  const path = [classes, client, ...junit].join(':')
  const launcher = ['org.junit.platform.console.ConsoleLauncher', '--disable-banner', '--disable-ansi-colors']
  return [...start, path, ...launcher, '--scan-classpath', classes]
}
