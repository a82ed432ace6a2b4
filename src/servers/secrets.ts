import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { readTextInside } from '../files/inside.ts'
import { inStateFolder, makePrivateFolder, savePrivateFile } from '../files/state-folder.ts'
import { TestfleetError } from '../model/failures.ts'
import {
  type FieldPath,
  type FleetSource,
  MAX_SECRET_BYTES,
  SECRETS_FOLDER,
  type SecretOrigin,
  type Server,
} from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { ServerRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Limit for all secrets of one server together. */
const MAX_ARCHIVE_BYTES = 32 * MAX_SECRET_BYTES

export type SecretValues = ReadonlyMap<string, string>

/** Sources of secrets, and the fleet file to quote when one is missing. */
export interface SecretSurroundings {
  readonly host: Host
  readonly source: Pick<FleetSource, 'locate' | 'nameField'>
}

/** Reads or generates the values of a server's secrets. Fails with SECRET_MISSING or CONTEXT_CHANGED. */
export async function resolveSecrets(server: Server, surroundings: SecretSurroundings): Promise<SecretValues> {
  const entries = await Promise.all(
    [...server.secrets.keys()].map(async (name) => [name, await resolveSecret(name, server, surroundings)] as const),
  )
  return new Map(entries)
}

async function resolveSecret(name: string, server: Server, { host, source }: SecretSurroundings): Promise<string> {
  const origin = server.secrets.get(name)
  const value = origin && (await readSecret(origin, host))
  if (value !== undefined) return value
  const field: FieldPath = ['servers', server.name, 'secrets', name]
  const variable = origin?.kind === 'env' ? origin.variable : ''
  const message = `${source.nameField(field)}: the variable ${variable} is not set where testfleet was called`
  const [at, hint] = [source.locate([...field, 'env']), `Set ${variable} and call again.`]
  throw new TestfleetError('SECRET_MISSING', message, { server: server.name, at, hint })
}

/** Reads a secret; undefined when its environment variable is not set. Fails with CONTEXT_CHANGED. */
export async function readSecret(origin: SecretOrigin, host: Host): Promise<string | undefined> {
  switch (origin.kind) {
    case 'generate':
      return Array.from({ length: origin.length }, () => LETTERS[randomInt(LETTERS.length)]).join('')
    case 'value':
    case 'url':
      return origin.text
    case 'file':
      return (await readTextInside(origin.path, { ...origin, maxBytes: MAX_SECRET_BYTES })).replace(/\r?\n$/, '')
    case 'env':
      return Object.hasOwn(host.environment, origin.variable) ? host.environment[origin.variable] : undefined
  }
}

/** A server's container, and the record of its secrets. */
export interface SecretHolder {
  readonly server: string
  readonly container: string
  readonly spec: Pick<ServerRecord, 'secrets' | 'sealed' | 'secretDigest'>
}

/** Reads the secrets that a container was given, once for each container. */
export type SecretReader = (holder: SecretHolder) => Promise<SecretValues>

/**
 * Reads secrets from the record if this user has the key, else from the container, which takes an engine 60 ms or more
 * (20.10).
 */
export function openSecretReader(runtime: Runtime, host: Host, options: CallOptions): SecretReader {
  const known = new Map<string, Promise<SecretValues>>()
  let key: Promise<Buffer | undefined> | undefined
  const read = async (holder: SecretHolder): Promise<SecretValues> => {
    key ??= readKey(host)
    const { sealed } = holder.spec
    const values = sealed === undefined ? undefined : unsealSecrets(sealed, holder.container, await key)
    return values ?? readGiven(holder, runtime, options)
  }
  return (holder) => {
    const reading = known.get(holder.container) ?? read(holder)
    known.set(holder.container, reading)
    return reading
  }
}

/** Reads secrets from the container. The server may have overwritten them, so they must match the recorded digest. */
async function readGiven({ server, container, spec }: SecretHolder, runtime: Runtime, options: CallOptions) {
  const found = await readFromContainer(runtime, container, options)
  const values = new Map([...found].filter(([name]) => spec.secrets.includes(name)))
  const { secretDigest: given } = spec
  if (given !== undefined && given === digestSecrets(values, given.split(':')[0])) return values
  throw new TestfleetError('SECRET_UNUSABLE', `the secrets in ${server} have been changed since it was started`, {
    server,
    hint: `Make sure that nothing in it writes to /run/secrets. To start it again: ${say('remove', server)}, then ${say('up')}.`,
  })
}

/** Returns a salted digest, by which values that are read from a container are verified without storing them. */
export function digestSecrets(values: SecretValues, salt = randomBytes(16).toString('hex')): string | undefined {
  if (values.size === 0) return undefined
  const text = JSON.stringify([...values].sort(([one], [other]) => (one < other ? -1 : 1)))
  return `${salt}:${createHmac('sha256', salt).update(text).digest('hex')}`
}

const KEY_FILE = 'secrets.key'
const CIPHER = 'aes-256-gcm'
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16]
/** Upper bound for the record, which every call reads: longer secrets are read from the container. */
const MAX_SEALED_BYTES = 4096

/**
 * Encrypts the values with this user's key, for the record of a session, so that later calls need not read them from
 * the container. Undefined when the key cannot be stored.
 */
export async function sealSecrets(values: SecretValues, container: string, host: Host): Promise<string | undefined> {
  const text = JSON.stringify(Object.fromEntries(values))
  if (values.size === 0 || Buffer.byteLength(text) > MAX_SEALED_BYTES) return undefined
  const key = (await readKey(host)) ?? (await makeKey(host))
  if (key === undefined) return undefined
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(container))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** Decrypts values; undefined when they were sealed with another key or for another container. */
function unsealSecrets(sealed: string, container: string, key: Buffer | undefined): SecretValues | undefined {
  if (key === undefined) return undefined
  const bytes = Buffer.from(sealed, 'base64')
  const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)]
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(container)).setAuthTag(tag)
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
    return new Map(Object.entries(JSON.parse(text.toString('utf8')) as Record<string, string>))
  } catch {
    return undefined
  }
}

async function readKey(host: Host): Promise<Buffer | undefined> {
  const text = await inStateFolder(host, (state) => readFile(join(state, KEY_FILE), 'utf8')).catch(() => '')
  const key = Buffer.from(text, 'base64')
  return key.length === KEY_BYTES ? key : undefined
}

/** Creates a key. If two calls do so at once, the last one wins, and both use it. */
async function makeKey(host: Host): Promise<Buffer | undefined> {
  const save = async (state: string): Promise<void> => {
    await makePrivateFolder(state, host)
    await savePrivateFile(join(state, KEY_FILE), randomBytes(KEY_BYTES).toString('base64'))
  }
  await inStateFolder(host, save).catch(() => {})
  return readKey(host)
}

async function readFromContainer(runtime: Runtime, containerId: string, options: CallOptions): Promise<SecretValues> {
  const archive = await runtime.fetch(containerId, SECRETS_FOLDER, MAX_ARCHIVE_BYTES, options)
  // Loaded on demand: few servers have secrets.
  const { unpackTar } = await import('modern-tar')
  const entries = await unpackTar(archive)
  const values = entries.flatMap(({ header, data }) =>
    header.type === 'file' && data !== undefined
      ? [[header.name.split('/').at(-1) ?? '', new TextDecoder('utf-8', { ignoreBOM: true }).decode(data)] as const]
      : [],
  )
  return new Map(values)
}

/** Returns the names of the secrets whose current value differs from the one that the container was given. */
export async function findChangedSecrets(
  server: Server,
  holder: SecretHolder,
  readSecrets: SecretReader,
  surroundings: SecretSurroundings,
): Promise<string[]> {
  const fromOutside = [...server.secrets].filter(([, origin]) => origin.kind !== 'generate' && origin.kind !== 'value')
  if (fromOutside.length === 0) return []
  const given = await readSecrets(holder)
  const names = await Promise.all(
    fromOutside.map(async ([name]) =>
      (await resolveSecret(name, server, surroundings)) === given.get(name) ? undefined : name,
    ),
  )
  return names.filter((name) => name !== undefined)
}
