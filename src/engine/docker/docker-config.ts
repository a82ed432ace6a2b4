import { access, constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import { isBlock } from '../../formats/block.ts'
import { wordFileError } from '../../formats/word-error.ts'
import type { TlsFiles } from '../../model/engine-endpoint.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import { say } from '../../model/surface.ts'

/** The part of the docker command's config.json that testfleet uses. */
export interface DockerConfig {
  readonly file: string
  readonly currentContext: string | undefined
  readonly auths: Readonly<Record<string, unknown>>
  readonly credHelpers: Readonly<Record<string, unknown>>
  readonly credsStore: string | undefined
  /** Proxies by engine, or under `default`. */
  readonly proxies: Readonly<Record<string, unknown>>
  /** Why the file is ignored, including its name; undefined when it was read, or does not exist. */
  readonly problem: string | undefined
}

export interface DockerHome {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What credential helpers get. Default: `environment`. */
  readonly helperEnvironment?: DockerHome['environment'] | undefined
  /** The user's home folder. */
  readonly home: string
}

/** The folder of config.json and contexts: `DOCKER_CONFIG`, else `~/.docker`. */
function dockerFolder({ environment, home }: DockerHome): string {
  return environment.DOCKER_CONFIG || join(home, '.docker')
}

/**
 * Reads config.json. A missing file counts as empty, and so does an unreadable one: the docker command also warns and
 * continues.
 */
export async function readDockerConfig(where: DockerHome): Promise<DockerConfig> {
  const file = join(dockerFolder(where), 'config.json')
  const { config, problem } = await readJsonFile(file).then(
    (config) => ({ config: asRecord(config), problem: undefined }),
    (error: unknown) => ({ config: {} as Record<string, unknown>, problem: describeProblem(error) }),
  )
  return {
    file,
    currentContext: asText(config.currentContext),
    auths: asRecord(config.auths),
    credHelpers: asRecord(config.credHelpers),
    credsStore: asText(config.credsStore),
    proxies: asRecord(config.proxies),
    problem,
  }
}

function describeProblem(error: unknown): string {
  if (!isFailure(error, 'ENGINE_CONFIGURATION')) throw error
  return `${error.message}; it is ignored, including its logins, contexts and proxies`
}

/** Much larger than any real config.json. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Reads the object in a JSON file; undefined when the file does not exist. Fails with ENGINE_CONFIGURATION, which names
 * a broken file.
 */
async function readJsonFile(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readSmallFile(file)
  if (text?.trim() === '') throw brokenFile(file, 'is empty')
  try {
    if (text === undefined) return undefined
    const value: unknown = JSON.parse(text)
    if (isBlock(value)) return value
  } catch (error) {
    throw brokenFile(file, 'is not a JSON object', error)
  }
  throw brokenFile(file, 'is not a JSON object')
}

/** Reads a file; undefined when it does not exist. Does not block on a named pipe. */
async function readSmallFile(file: string): Promise<string | undefined> {
  try {
    await using opened = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stats = await opened.stat()
    if (!stats.isFile()) throw brokenFile(file, stats.isDirectory() ? 'is a folder' : 'is not a file')
    if (stats.size > MAX_BYTES) throw brokenFile(file, `has ${stats.size} bytes; it can have at most ${MAX_BYTES}`)
    return await opened.readFile('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof TestfleetError) throw error
    throw unreadable(file, error)
  }
}

function brokenFile(file: string, why: string, cause?: unknown): TestfleetError {
  // The parser's message would quote the file, which may hold passwords.
  return new TestfleetError('ENGINE_CONFIGURATION', `${file} ${why}`, {
    hint: 'Fix or remove the file: the docker command cannot read it either.',
    cause: cause instanceof Error ? cause.name : cause,
  })
}

export function asRecord(value: unknown): Record<string, unknown> {
  return isBlock(value) ? value : {}
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Endpoint of a context of the docker command. */
export interface DockerContext {
  /** Address of the engine; undefined when the context uses the default address. */
  readonly host: string | undefined
  readonly skipTlsVerify: boolean
  /** Folder of its ca.pem, cert.pem and key.pem, which need not exist. */
  readonly tlsFolder: string
}

/** Reads a context from `contexts/meta`. Fails with ENGINE_CONFIGURATION when it does not exist or is broken. */
export async function readContext(name: string, origin: string, where: DockerHome): Promise<DockerContext> {
  const { createHash } = await import('node:crypto')
  const id = createHash('sha256').update(name).digest('hex')
  const contexts = join(dockerFolder(where), 'contexts')
  const file = join(contexts, 'meta', id, 'meta.json')
  const meta = await readJsonFile(file)
  if (meta === undefined) {
    const message = `${origin} names the context "${name}", which does not exist: no ${file}`
    const hint = `Run \`docker context ls\` to list the contexts, or name an engine by its URL with ${say('engine')}.`
    throw new TestfleetError('ENGINE_CONFIGURATION', message, { hint })
  }
  const endpoint = asRecord(asRecord(meta.Endpoints).docker)
  return {
    host: asText(endpoint.Host),
    skipTlsVerify: endpoint.SkipTLSVerify === true,
    tlsFolder: join(contexts, 'tls', id, 'docker'),
  }
}

/**
 * Finds the TLS files that the environment requests: `DOCKER_TLS_VERIFY` requests TLS, `DOCKER_TLS` requests TLS
 * without verification; the files are in `DOCKER_CERT_PATH` or the docker folder. Undefined when TLS is not requested.
 */
export async function tlsOfEnvironment(where: DockerHome): Promise<TlsFiles | undefined> {
  const isVerified = Boolean(where.environment.DOCKER_TLS_VERIFY)
  if (!isVerified && !where.environment.DOCKER_TLS) return undefined
  const named = where.environment.DOCKER_CERT_PATH
  const folder = named || dockerFolder(where)
  const files = await findFiles(folder)
  // A folder that the user named must contain all three files.
  const needed = named ? (['ca', 'cert', 'key'] as const) : isVerified ? (['ca'] as const) : []
  for (const name of needed) {
    if (files[name] === undefined)
      throw missing(join(folder, `${name}.pem`), named ? 'DOCKER_CERT_PATH' : 'DOCKER_TLS_VERIFY')
  }
  return pair({ ...files, isVerified }, folder)
}

/** Finds the TLS files of a context. It uses TLS when it has such a file, or when it disables verification. */
export async function tlsOfContext(context: DockerContext): Promise<TlsFiles | undefined> {
  const files = await findFiles(context.tlsFolder)
  const hasFiles = files.ca !== undefined || files.cert !== undefined || files.key !== undefined
  if (!hasFiles && !context.skipTlsVerify) return undefined
  return pair({ ...files, isVerified: !context.skipTlsVerify }, context.tlsFolder)
}

/** TLS of a plain `https://` address: Node's own authorities verify the engine's certificate. */
export const publicTls: TlsFiles = { ca: undefined, cert: undefined, key: undefined, isVerified: true }

async function findFiles(folder: string): Promise<Omit<TlsFiles, 'isVerified'>> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => findFile(join(folder, name))),
  )
  return { ca, cert, key }
}

async function findFile(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK)
    return file
  } catch (error) {
    return undefinedIfAbsent(file, error as NodeJS.ErrnoException)
  }
}

/** Fails with ENGINE_CONFIGURATION for a file that exists and cannot be read. */
function undefinedIfAbsent(file: string, error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw unreadable(file, error)
}

function unreadable(file: string, error: unknown): TestfleetError {
  return new TestfleetError('ENGINE_CONFIGURATION', `${file} cannot be read: ${wordFileError(error)}`, { cause: error })
}

function pair(files: TlsFiles, folder: string): TlsFiles {
  if (files.cert === undefined && files.key !== undefined) throw missing(join(folder, 'cert.pem'), 'the key next to it')
  if (files.key === undefined && files.cert !== undefined)
    throw missing(join(folder, 'key.pem'), 'the certificate next to it')
  return files
}

function missing(file: string, askedBy: string): TestfleetError {
  return new TestfleetError('ENGINE_CONFIGURATION', `${file} does not exist, but ${askedBy} needs it`, {
    hint: 'Put ca.pem, cert.pem and key.pem for the engine into that folder.',
  })
}
