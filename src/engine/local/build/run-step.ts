import { createHash } from 'node:crypto'
import { lstat, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onAbort } from '../../../model/on-abort.ts'
import { findUser } from '../files/users.ts'
import { ociConfig } from '../oci/config.ts'
import { bindMount, type OciMount } from '../oci/mounts.ts'
import { callProgram, startProgram } from '../programs.ts'
import { makeFolder } from '../store.ts'
import type { ImageConfig, Local } from '../types.ts'
import type { MountedRoot } from './layer.ts'
import type { Lines } from './lines.ts'
import { mistake, readList } from './read-stages.ts'

const SHELL = ['/bin/sh', '-c']

/** Reads what follows the options of a RUN: a list, a text for the shell, or a heredoc that is a script of its own. */
export function readRun(rest: string, shell: readonly string[] = SHELL): readonly string[] {
  const list = readList(rest.trim())
  if (list !== undefined) return list
  return [...shell, scriptIn(rest) ?? rest]
}

/** The lines of a heredoc that is the whole command; undefined for other texts, which the shell reads itself. */
function scriptIn(rest: string): string | undefined {
  const [first = '', ...lines] = rest.split('\n')
  const [, dash = '', name] = /^<<(-?)["']?([^\s"'<]+)["']?\s*$/.exec(first) ?? []
  if (name === undefined) return undefined
  const body = lines.at(-1)?.replace(dash === '' ? '' : /^\t+/, '') === name ? lines.slice(0, -1) : lines
  return body.map((line) => `${dash === '' ? line : line.replace(/^\t+/, '')}\n`).join('')
}

export interface RunRequest {
  readonly words: readonly string[]
  readonly config: ImageConfig
  readonly environment: Readonly<Record<string, string>>
  readonly mounts: readonly OciMount[]
  readonly lines: Lines
  readonly signal: AbortSignal | undefined
}

/** Failure of a program in a step. */
export class StepFailed extends Error {}

/** What a step sees of the machine, and what must not stay in the layer if it was not there. */
const HOST_FILES = ['/etc/resolv.conf', '/etc/hosts'] as const

/** Runs a program in a mounted root, with the network of this machine. Rejects with a `StepFailed` unless it succeeds. */
export async function runStep(
  local: Local,
  mounted: MountedRoot,
  { words, config, environment, mounts, lines, signal }: RunRequest,
): Promise<void> {
  const { id, folder, root } = mounted
  const user = await findUser(root, config.user ?? '')
  const missing = await findMissing(root)
  const text = await ociConfig({
    ...{ id, words, root, mounts: [...HOST_FILES.map((path) => bindMount(path, path, false)), ...mounts] },
    environment: { HOME: user.home, ...environment },
    workingFolder: config.workingDir ?? '/',
    user,
    spec: stepSpec,
    network: undefined,
  })
  await writeFile(join(folder, 'config.json'), text, { mode: 0o600 })
  const code = await runToEnd(local, mounted, lines, signal)
  await Promise.all(missing.map((path) => rm(join(root, path), { force: true })))
  if (code !== 0) throw new StepFailed(code === undefined ? 'it was killed' : `exit code ${code}`)
}

const stepSpec = {
  ...{ hostname: 'build', tty: false, readOnly: false, limits: {}, ulimits: {}, sysctls: {}, devices: [], init: false },
  ...{ capAdd: [], capDrop: [], privileged: false, newPrivileges: true },
} as const

/** Files that only the mounts of a step create. */
async function findMissing(root: string): Promise<readonly string[]> {
  const found = await Promise.all(HOST_FILES.map((path) => lstat(join(root, path)).catch(() => undefined)))
  return HOST_FILES.filter((_, index) => found[index] === undefined)
}

async function runToEnd(
  local: Local,
  { id, folder }: MountedRoot,
  lines: Lines,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const runtime = await local.runtime()
  const rootWords = ['--root', await makeFolder(local.store.path('run'))]
  const child = startProgram(
    local.machine,
    runtime,
    [...rootWords, 'run', '--bundle', folder, id],
    ['ignore', 'pipe', 'pipe'],
  )
  const end = (): void => {
    // It ends the program and all that it has started; the child then ends by itself.
    void callProgram(local.machine, runtime, { arguments: [...rootWords, 'delete', '--force', id] }).catch(() =>
      child.kill('SIGKILL'),
    )
  }
  child.stdout?.on('data', (chunk: Buffer) => lines.add(chunk))
  child.stderr?.on('data', (chunk: Buffer) => lines.add(chunk))
  const stopListening = onAbort(signal, end)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    lines.end()
    signal?.throwIfAborted()
    return code ?? undefined
  } finally {
    stopListening()
  }
}

/** Where a kind of mount of a RUN comes from. */
export interface StepMount {
  readonly type: string
  readonly options: ReadonlyMap<string, string>
}

const ALLOWED = new Set([
  'type',
  'id',
  'target',
  'dst',
  'destination',
  'source',
  'src',
  'from',
  'sharing',
  'readonly',
  'ro',
  'rw',
  'readwrite',
  'mode',
  'uid',
  'gid',
  'size',
])

/** Reads the value of `--mount`. BUILD_FAILED for a type that cannot be carried out here. */
export function readMount(text: string, line: number): StepMount {
  const options = new Map(
    text.split(',').map((part): [string, string] => {
      const [name = '', ...value] = part.split('=')
      return [name.toLowerCase(), value.join('=')]
    }),
  )
  const type = options.get('type') ?? 'bind'
  if (!/^(?:cache|bind|tmpfs)$/.test(type))
    throw mistake(line, `a mount of type ${type} is not supported by the local engine`)
  const unknown = [...options.keys()].find((name) => !ALLOWED.has(name))
  if (unknown !== undefined) throw mistake(line, `unknown option of a mount: ${unknown}`)
  if (targetOf({ type, options }) === '') throw mistake(line, 'a mount has no target')
  return { type, options }
}

export function targetOf({ options }: StepMount): string {
  return options.get('target') ?? options.get('dst') ?? options.get('destination') ?? ''
}

export function sourceOf({ options }: StepMount): string {
  return options.get('source') ?? options.get('src') ?? ''
}

/** Returns the folder of a cache that builds share. */
export function cacheFolder({ store }: Local, mount: StepMount): Promise<string> {
  const id = mount.options.get('id') ?? targetOf(mount)
  return makeFolder(store.path('caches', createHash('sha256').update(id).digest('hex')))
}
