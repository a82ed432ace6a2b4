import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { TlsFiles } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { DockerContext } from './contexts.ts'
import { type DockerHome, dockerFolder } from './docker-config.ts'

/**
 * TLS as the environment asks for it: on with `DOCKER_TLS_VERIFY`, on but unchecked with `DOCKER_TLS`, files in
 * `DOCKER_CERT_PATH` or the docker folder. Undefined when it asks for none.
 */
export async function tlsOfEnvironment(where: DockerHome): Promise<TlsFiles | undefined> {
  const isVerified = Boolean(where.environment.DOCKER_TLS_VERIFY)
  if (!isVerified && !where.environment.DOCKER_TLS) return undefined
  const named = where.environment.DOCKER_CERT_PATH
  const folder = named || dockerFolder(where)
  const files = await findFiles(folder)
  // A folder that someone named is expected to hold all three.
  const needed = named ? (['ca', 'cert', 'key'] as const) : isVerified ? (['ca'] as const) : []
  for (const name of needed) {
    if (files[name] === undefined)
      throw missing(join(folder, `${name}.pem`), named ? 'DOCKER_CERT_PATH' : 'DOCKER_TLS_VERIFY')
  }
  return pair({ ...files, isVerified }, folder)
}

/** A context speaks TLS when it has any file for it, or says not to check the engine's certificate. */
export async function tlsOfContext(context: DockerContext): Promise<TlsFiles | undefined> {
  const files = await findFiles(context.tlsFolder)
  const hasFiles = files.ca !== undefined || files.cert !== undefined || files.key !== undefined
  if (!hasFiles && !context.skipTlsVerify) return undefined
  return pair({ ...files, isVerified: !context.skipTlsVerify }, context.tlsFolder)
}

/** `https://` without more: the engine's certificate is checked against the authorities that Node knows. */
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
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new TestfleetError('ENGINE_CONFIGURATION', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function pair(files: TlsFiles, folder: string): TlsFiles {
  if (files.cert === undefined && files.key !== undefined) throw missing(join(folder, 'cert.pem'), 'the key beside it')
  if (files.key === undefined && files.cert !== undefined)
    throw missing(join(folder, 'key.pem'), 'the certificate beside it')
  return files
}

function missing(file: string, askedBy: string): TestfleetError {
  return new TestfleetError('ENGINE_CONFIGURATION', `${file} does not exist, but ${askedBy} asks for it`, {
    hint: 'The folder must hold ca.pem, cert.pem and key.pem for the engine.',
  })
}
