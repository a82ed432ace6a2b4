import { randomInt } from 'node:crypto'
import type { CallOptions } from '../engine/engine.ts'
import { readTextInside } from '../files/inside.ts'
import { TestfleetError } from '../model/failures.ts'
import { MAX_SECRET_BYTES, type SecretOrigin, type Server } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SECRETS_FOLDER } from './describe-server.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Of all the secrets of one server. */
const MAX_ARCHIVE_BYTES = 32 * MAX_SECRET_BYTES

export type SecretValues = ReadonlyMap<string, string>

/** The values of a server's secrets: read from where they are, or made. Fails with SECRET_MISSING or CONTEXT_CHANGED. */
export async function resolveSecrets(server: Server, host: Host): Promise<SecretValues> {
  const entries = await Promise.all(
    [...server.secrets].map(async ([name, origin]) => [name, await resolveSecret(name, origin, server, host)] as const),
  )
  return new Map(entries)
}

async function resolveSecret(name: string, origin: SecretOrigin, server: Server, host: Host): Promise<string> {
  switch (origin.kind) {
    case 'generate':
      return Array.from({ length: origin.length }, () => LETTERS[randomInt(LETTERS.length)]).join('')
    case 'file':
      return (await readTextInside(origin.path, { ...origin, maxBytes: MAX_SECRET_BYTES })).replace(/\r?\n$/, '')
    case 'env': {
      const value = Object.hasOwn(host.environment, origin.variable) ? host.environment[origin.variable] : undefined
      if (value !== undefined) return value
      throw new TestfleetError(
        'SECRET_MISSING',
        `the secret ${name} comes from the variable ${origin.variable}, which is not set`,
        {
          server: server.name,
          hint: `Set ${origin.variable} and call again.`,
        },
      )
    }
  }
}

/** Reads the secrets of containers, each container's once: an engine takes 60 ms for it (20.10). */
export type SecretReader = (containerId: string) => Promise<SecretValues>

export function openSecretReader(runtime: Runtime, options: CallOptions): SecretReader {
  const known = new Map<string, Promise<SecretValues>>()
  return (containerId) => {
    const reading = known.get(containerId) ?? readSecrets(runtime, containerId, options)
    known.set(containerId, reading)
    return reading
  }
}

/** The values that a container was given, read from the container itself. */
export async function readSecrets(runtime: Runtime, containerId: string, options: CallOptions): Promise<SecretValues> {
  const archive = await runtime.fetch(containerId, SECRETS_FOLDER, MAX_ARCHIVE_BYTES, options)
  // Few servers have secrets.
  const { unpackTar } = await import('modern-tar')
  const entries = await unpackTar(archive)
  const values = entries.flatMap(({ header, data }) =>
    header.type === 'file' && data !== undefined
      ? [[header.name.split('/').at(-1) ?? '', new TextDecoder().decode(data)] as const]
      : [],
  )
  return new Map(values)
}

/** The secrets from outside whose value is no longer the one that the container was given. */
export async function findChangedSecrets(
  server: Server,
  containerId: string,
  readSecrets: SecretReader,
  host: Host,
): Promise<string[]> {
  const fromOutside = [...server.secrets].filter(([, origin]) => origin.kind !== 'generate')
  if (fromOutside.length === 0) return []
  const given = await readSecrets(containerId)
  const names = await Promise.all(
    fromOutside.map(async ([name, origin]) =>
      (await resolveSecret(name, origin, server, host)) === given.get(name) ? undefined : name,
    ),
  )
  return names.filter((name) => name !== undefined)
}
