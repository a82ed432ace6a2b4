import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TestfleetError } from '../../model/failures.ts'

/** What is read of the docker command's config.json. */
export interface DockerConfig {
  readonly file: string
  readonly currentContext: string | undefined
  readonly auths: Readonly<Record<string, unknown>>
  readonly credHelpers: Readonly<Record<string, unknown>>
  readonly credsStore: string | undefined
}

export interface DockerHome {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The person's home folder. */
  readonly home: string
}

/** The folder of config.json and contexts: `DOCKER_CONFIG`, else `~/.docker`. */
export function dockerFolder({ environment, home }: DockerHome): string {
  return environment.DOCKER_CONFIG || join(home, '.docker')
}

/** A config.json that is not there is an empty one; one that cannot be read is ENGINE_CONFIGURATION. */
export async function readDockerConfig(where: DockerHome): Promise<DockerConfig> {
  const file = join(dockerFolder(where), 'config.json')
  const config = asRecord(await readJsonFile(file))
  return {
    file,
    currentContext: asText(config.currentContext),
    auths: asRecord(config.auths),
    credHelpers: asRecord(config.credHelpers),
    credsStore: asText(config.credsStore),
  }
}

/** The object in a JSON file; undefined when there is no such file. ENGINE_CONFIGURATION names a file that is broken. */
export async function readJsonFile(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new TestfleetError('ENGINE_CONFIGURATION', `${file} cannot be read: ${error.message}`, { cause: error })
  })
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw brokenFile(file, error)
  }
  throw brokenFile(file, undefined)
}

function brokenFile(file: string, cause: unknown): TestfleetError {
  // Not the parser's own words: they quote the file, and this file may hold passwords.
  return new TestfleetError('ENGINE_CONFIGURATION', `${file} is not a JSON object`, {
    hint: 'Mend or remove the file: the docker command cannot read it either.',
    cause: cause instanceof Error ? cause.name : cause,
  })
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
