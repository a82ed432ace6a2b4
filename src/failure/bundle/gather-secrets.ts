import { isFailure } from '../../model/failures.ts'
import type { Server } from '../../model/fleet.ts'
import type { ObservedServer } from '../../report/report.ts'
import { openSecretReader, readSecret } from '../../servers/secrets.ts'
import type { Tools } from '../../tools.ts'
import { bodyOf, hiddenValues, secretsOf } from '../recorder.ts'

type SecretTools = Pick<Tools, 'recorder' | 'runtime' | 'host'>

/** Returns the secrets that this call has read or generated, without asking the engine. */
export function knownSecrets({ recorder }: Pick<Tools, 'recorder'>): string[] {
  return recorder.call === undefined ? [] : secretsOf(recorder.call)
}

/**
 * Returns the same, with the fleet's secrets from outside and those that only the containers have. `unknown` lists the
 * servers whose secrets could not be read.
 */
export async function gatherSecrets(
  containers: readonly ObservedServer[],
  tools: SecretTools,
  signal: AbortSignal,
): Promise<{ readonly values: ReadonlySet<string>; readonly unknown: readonly string[] }> {
  const { recorder, runtime, host } = tools
  const values = new Set(knownSecrets(tools))
  const servers = [...(recorder.call?.fleet.servers.values() ?? [])]
  for (const value of (await Promise.all(servers.map((server) => readFromOutside(server, tools)))).flat()) {
    values.add(value)
  }
  const readSecrets = openSecretReader(runtime, host, { signal })
  const unknown: string[] = []
  await Promise.all(
    containers
      .filter(({ spec }) => spec.secrets.length > 0 || spec.authority !== undefined)
      .map(async ({ name, container, spec }) => {
        const holder = { server: name, container: container.id, spec }
        try {
          const server = recorder.call?.fleet.servers.get(name)
          const given = spec.secrets.length > 0 ? hiddenValues(await readSecrets(holder), server) : []
          for (const value of given) values.add(value)
          // Loaded on demand: most fleets have no certificates.
          const certificates = spec.authority && (await import('../../servers/certificates.ts'))
          const key = await certificates?.readKey(runtime, container.id, { signal })
          if (key !== undefined) values.add(bodyOf(key))
        } catch (error) {
          const isGone = isFailure(error, 'NOT_FOUND')
          if (!isGone && recorder.call?.secrets.has(name) !== true) unknown.push(name)
        }
      }),
  )
  return { values, unknown }
}

/** A secret whose variable is unset, or whose file is gone, cannot appear in the output either. */
async function readFromOutside(server: Server, { host }: Pick<Tools, 'host'>): Promise<string[]> {
  const fromOutside = [...server.secrets.values()].filter(({ kind }) => kind === 'env' || kind === 'file')
  const found = await Promise.all(fromOutside.map((origin) => readSecret(origin, host).catch(() => undefined)))
  return found.filter((value) => value !== undefined)
}
