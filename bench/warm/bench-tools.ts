import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Timed, timeNode } from '../time-process.ts'

export const testfleetPath = join(dirname(dirname(import.meta.dirname)), 'dist/cli/testfleet.cjs')

/** What every measurement of warm starts gets. */
export interface WarmBench {
  /** Folder of the fleet files, removed at the end. */
  readonly folder: string
  readonly rounds: number
  readonly isQuick: boolean
  readonly signal: AbortSignal
  /** Packages that only the bench needs, each of its latest version: testcontainers and pg. */
  readonly packages: NodeJS.Require
  tell(text: string): void
}

/** Runs testfleet, and measures the time until it ends. */
export function testfleet(words: readonly string[], signal?: AbortSignal): Promise<Timed> {
  return timeNode([testfleetPath, ...words], signal)
}

export interface Begun {
  /** From the start of the process to the first output of the command that it runs. */
  readonly begunMs: number
  readonly tookMs: number
}

/** Runs a command with `testfleet run`, and measures when the command begins. */
export function timeRun(words: readonly string[], signal: AbortSignal): Promise<Begun> {
  signal.throwIfAborted()
  const startedAt = performance.now()
  const args = [testfleetPath, 'run', '--quiet', ...words, '--', 'echo', 'begun']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let begunMs: number | undefined
  let stderr = ''
  child.stdout.once('data', () => {
    begunMs = performance.now() - startedAt
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const interrupt = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', interrupt, { once: true })
  return new Promise<Begun>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (signal.aborted) reject(signal.reason)
      else if (code === 0 && begunMs !== undefined) resolve({ begunMs, tookMs: performance.now() - startedAt })
      else reject(new Error(`testfleet run ended with ${killedBy ?? code}:\n${stderr}`))
    })
  }).finally(() => signal.removeEventListener('abort', interrupt))
}

/** Installs the contestants' packages into the folder, and returns a function that loads them. */
export async function installPackages(folder: string, signal: AbortSignal): Promise<NodeJS.Require> {
  const words = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder]
  const child = spawn('npm', [...words, 'testcontainers@latest', 'pg@latest'], { stdio: ['ignore', 2, 2], signal })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`npm install ended with ${code}`))))
  })
  return createRequire(join(folder, 'bench.cjs'))
}

/** The part of node-postgres that the bench uses. */
export interface Database {
  connect(): Promise<unknown>
  query(text: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
  end(): Promise<void>
}

export async function openDatabase(packages: NodeJS.Require, url: string): Promise<Database> {
  const { Client } = packages('pg') as { Client: new (options: { connectionString: string }) => Database }
  const database = new Client({ connectionString: url })
  await database.connect()
  return database
}

/** The same server, but another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
