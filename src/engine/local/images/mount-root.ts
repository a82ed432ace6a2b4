import { chmod, chown, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { TestfleetError } from '../../../model/failures.ts'
import { callProgram, runProgram } from '../programs.ts'
import { makeFolder, newId, undefinedIfGone } from '../store.ts'
import { together } from '../together.ts'
import type { Local } from '../types.ts'

export interface MountOptions {
  /** No file of the root can change: what is needed as a place for mounts has to be in `up` before. */
  readonly isReadOnly?: boolean
  /** Programs cannot force files to the disk, which makes them faster. For roots that nobody needs after a power failure. */
  readonly isVolatile?: boolean
  readonly signal?: AbortSignal | undefined
}

/** The kernel reads the options of a mount from one page. */
const MOST_OPTION_BYTES = 4095

/**
 * Mounts the root of a container: `layers`, the lowest first, below its own files, which are in `up` of its folder. Returns the
 * path of the mount, `merged`. Its own files stay when it is unmounted. ENGINE_REFUSED when a layer is gone.
 */
export async function mountRoot(
  local: Local,
  layers: readonly string[],
  folder: string,
  options: MountOptions = {},
): Promise<string> {
  const { isReadOnly = false, isVolatile = false, signal } = options
  const base = local.store.path('layers')
  const at = (name: string): string => join(folder, name)
  await Promise.all([makeFolder(at('merged')), makeUpper(at('up'), layers.at(-1), base)])
  // Short names from the folder of the layers: the kernel finds them from where mount runs.
  const from = (name: string): string => relative(base, at(name))
  if (layers.length === 0) await makeFolder(at('none'))
  const lowers = layers.length === 0 ? [from('none')] : layers.toReversed()
  const words = isReadOnly ? [`lowerdir=${[from('up'), ...lowers].join(':')}`] : [`lowerdir=${lowers.join(':')}`]
  if (!isReadOnly) {
    await makeFolder(at('work'))
    words.push(`upperdir=${from('up')}`, `workdir=${from('work')}`)
    // The mark of an earlier mount that was never unmounted: the kernel would refuse another one.
    if (isVolatile) await rm(at('work/work/incompat'), { recursive: true, force: true })
    if (isVolatile) words.push('volatile')
  }
  // In a user's namespaces, the marks of overlayfs are attributes that an ordinary user may set.
  if (local.forwards !== undefined) words.push('userxattr')
  const text = words.join(',')
  if (text.length > MOST_OPTION_BYTES) throw tooLong(layers.length)
  signal?.throwIfAborted()
  try {
    await mount(local, { options: text, target: at('merged') })
  } catch (error) {
    throw (await explainMissing(base, layers)) ?? error
  }
  return at('merged')
}

/** Unmounts the root of a container, wherever a program may still be in it. No error when it is not mounted. */
export async function unmountRoot(local: Local, folder: string): Promise<void> {
  const path = join(folder, 'merged')
  if (await isMounted(path)) await unmount(local, path)
}

interface Mount {
  readonly options: string
  readonly target: string
}

/** Mounts what is to be mounted at the same moment with one program. What then is not mounted is tried alone, for the reason. */
const mount = together<Local, Mount, void>(async (local, mounts) => {
  const folder = local.store.path('layers')
  const alone = ({ options, target }: Mount) => {
    const words = ['-n', '-t', 'overlay', '-o', options, 'overlay', target]
    return callProgram(local.machine, 'mount', { arguments: words, folder })
  }
  if (mounts.length > 1) {
    const lines = mounts.map((one) => `overlay ${escapeField(one.target)} overlay ${escapeField(one.options)} 0 0\n`)
    const table = local.store.path(`.mounts-${newId().slice(0, 16)}`)
    await writeFile(table, lines.join(''), { mode: 0o600 })
    try {
      await runProgram(local.machine, 'mount', { arguments: ['-n', '-a', '-T', table], folder })
    } finally {
      await rm(table, { force: true })
    }
  }
  return mounts.map(async (one) => {
    if (mounts.length === 1 || !(await isMounted(one.target))) await alone(one)
  })
})

/** As in a file system table: white space and the backslash by their numbers. */
function escapeField(text: string): string {
  return text.replaceAll(/[\s\\#]/g, (found) => `\\${found.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

const unmount = together<Local, string, void>(async (local, paths) => {
  const { stderr } = await runProgram(local.machine, 'umount', { arguments: ['-n', '-l', ...paths] })
  return paths.map(async (path) => {
    if (!(await isMounted(path))) return
    throw new TestfleetError('ENGINE_REFUSED', `${path} could not be unmounted: ${stderr.trim()}`)
  })
})

/** A folder on another device than its parent is the top of a mount. */
async function isMounted(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(path), stat(join(path, '..'))].map((it) => it.catch(undefinedIfGone)))
  return own !== undefined && own.dev !== parent?.dev
}

/** The folder of own files decides on the owner and the mode of the root. */
async function makeUpper(path: string, top: string | undefined, base: string): Promise<void> {
  if ((await stat(path).catch(undefinedIfGone)) !== undefined) return
  await makeFolder(path)
  const like = top === undefined ? undefined : await stat(join(base, top)).catch(undefinedIfGone)
  if (like !== undefined && (like.uid !== 0 || like.gid !== 0)) await chown(path, like.uid, like.gid)
  await chmod(path, (like?.mode ?? 0o755) & 0o7777)
}

async function explainMissing(base: string, layers: readonly string[]): Promise<TestfleetError | undefined> {
  for (const layer of layers) {
    if ((await stat(join(base, layer)).catch(undefinedIfGone)) !== undefined) continue
    return new TestfleetError('ENGINE_REFUSED', `the layer ${layer} of the image is gone`, {
      hint: 'Build, load or pull the image again.',
    })
  }
  return undefined
}

function tooLong(count: number): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the image has ${count} layers, more than the kernel can mount at once`, {
    hint: 'Merge some of its instructions.',
  })
}
