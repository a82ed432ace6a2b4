import { readFile } from 'node:fs/promises'
import { Agent, type AgentOptions, request } from 'node:https'
import type { TlsFiles } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'

/** Reads the certificates of an engine behind TLS. ENGINE_CONFIGURATION names a file that cannot be read. */
export async function openTls(files: TlsFiles, keepAlive: AgentOptions) {
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map(readPem))
  const options = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: files.isVerified,
  }
  return { request, agent: new Agent({ ...keepAlive, ...options }), options }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined
  return readFile(file).catch((error: Error) => {
    throw new TestfleetError('ENGINE_CONFIGURATION', `${file} cannot be read: ${error.message}`, { cause: error })
  })
}
