import { posix } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { packArchive } from '../files/archive.ts'
import { TLS_FOLDER } from '../model/certificate.ts'
import { SECRETS_FOLDER, type Server } from '../model/fleet.ts'
import type { ContextEntry } from '../model/plan.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SecretValues } from './secrets.ts'

/** Every user in the container may read the secrets, as with Docker secrets. */
const SECRET_MODE = 0o444

export function describeSecrets(secrets: SecretValues): ContextEntry[] {
  return [...secrets].map(([name, text]) => ({
    kind: 'text',
    path: `${SECRETS_FOLDER}/${name}`,
    mode: SECRET_MODE,
    text,
  }))
}

/**
 * Copies files into a container that has not started. Each request takes an engine 30 ms or more (20.10), so all files go
 * with one if the engine can do that. The root of a read-only container accepts no files; the volumes in it do.
 */
export async function putFiles(
  id: string,
  files: readonly ContextEntry[],
  { readOnly }: Pick<Server, 'readOnly'>,
  runtime: Pick<Runtime, 'deliver' | 'deliversIntoMounts'>,
  options: CallOptions,
): Promise<void> {
  const volumes = [SECRETS_FOLDER, TLS_FOLDER]
  const folders = Map.groupBy(files, ({ path }) => volumes.find((folder) => path.startsWith(`${folder}/`)) ?? '/')
  const isOne = folders.size > 1 && !readOnly && (await runtime.deliversIntoMounts(options))
  for (const [folder, entries] of isOne ? [['/', files] as const] : folders) {
    const below = entries.map((entry) => ({ ...entry, path: posix.relative(folder, entry.path) }))
    await runtime.deliver(id, folder, Buffer.concat(await packArchive(below).toArray()), options)
  }
}
