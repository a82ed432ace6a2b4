import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { readText } from '../engine/output-text.ts'
import { mask } from './mask.ts'
import type { Made } from './roll-back.ts'
import type { Tools } from './tools.ts'

const BUNDLE_TIMEOUT_MS = 15_000

/**
 * Writes the log and the inspect output of every container that a failed call has made into a new folder, before they
 * are removed; returns its path, or undefined when there was nothing to write. Never fails: the failure that it
 * documents is what matters.
 */
export async function writeBundle(
  session: string,
  made: Made,
  secretValues: readonly string[],
  tools: Tools,
): Promise<string | undefined> {
  if (made.containers.size === 0) return undefined
  const options = { signal: AbortSignal.timeout(BUNDLE_TIMEOUT_MS) }
  try {
    const folder = await mkdtemp(join(tools.host.temporaryFolder, `testfleet-${session}-`))
    const save = async (name: string, text: Promise<string>): Promise<void> =>
      writeFile(join(folder, name), mask(await text, secretValues), { mode: 0o600 })
    await Promise.allSettled(
      [...made.containers].flatMap(([server, id]) => [
        save(`${server}.log`, readText(tools.engine.readLogs(id, { follow: false, timestamps: true }, options))),
        save(`${server}.inspect.json`, readInspect(id, tools, options)),
      ]),
    )
    tools.onEvent({ kind: 'bundled', folder })
    return folder
  } catch {
    return undefined
  }
}

async function readInspect(id: string, tools: Tools, options: CallOptions): Promise<string> {
  const { raw } = await tools.engine.inspectContainer(id, options)
  return `${JSON.stringify(raw, null, 2)}\n`
}
