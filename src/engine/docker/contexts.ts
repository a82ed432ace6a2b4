import { join } from 'node:path'
import { TestfleetError } from '../../model/failures.ts'
import { asRecord, asText, type DockerHome, dockerFolder, readJsonFile } from './docker-config.ts'

/** What a context of the docker command says about its engine. */
export interface DockerContext {
  /** Undefined when it leaves the address to the default. */
  readonly host: string | undefined
  readonly skipTlsVerify: boolean
  /** Where its ca.pem, cert.pem and key.pem would be. */
  readonly tlsFolder: string
}

/** Reads a context from `contexts/meta`. ENGINE_CONFIGURATION when there is none of this name, or it is broken. */
export async function readContext(name: string, origin: string, where: DockerHome): Promise<DockerContext> {
  const { createHash } = await import('node:crypto')
  const id = createHash('sha256').update(name).digest('hex')
  const contexts = join(dockerFolder(where), 'contexts')
  const file = join(contexts, 'meta', id, 'meta.json')
  const meta = await readJsonFile(file)
  if (meta === undefined) {
    throw new TestfleetError(
      'ENGINE_CONFIGURATION',
      `${origin} names the context "${name}", which does not exist: no ${file}`,
      {
        hint: '`docker context ls` lists the contexts; --engine URL names an engine directly.',
      },
    )
  }
  const endpoint = asRecord(asRecord(meta.Endpoints).docker)
  return {
    host: asText(endpoint.Host),
    skipTlsVerify: endpoint.SkipTLSVerify === true,
    tlsFolder: join(contexts, 'tls', id, 'docker'),
  }
}
