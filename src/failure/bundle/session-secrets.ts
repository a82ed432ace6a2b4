import type { CallOptions } from '../../engine/engine.ts'
import { isFailure } from '../../model/failures.ts'
import type { Server } from '../../model/fleet.ts'
import type { ObservedServer } from '../../report/observe.ts'
import { readSecrets, resolveSecrets } from '../../servers/secrets.ts'
import type { Tools } from '../../tools.ts'
import { bodyOf, secretsOf } from '../recorder.ts'

export interface SessionSecrets {
  readonly values: ReadonlySet<string>
  /** Servers whose secrets cannot be known: what they have said can then not be shown. */
  readonly unknown: readonly string[]
}

/** The values that this call has read or made. Asks nobody. */
export function knownSecrets({ recorder }: Tools): string[] {
  return recorder.subject === undefined ? [] : secretsOf(recorder.subject)
}

/** The same, with those of the fleet that come from outside, and those that only the containers have. */
export async function gatherSecrets(
  containers: readonly ObservedServer[],
  tools: Tools,
  options: CallOptions,
): Promise<SessionSecrets> {
  const { recorder } = tools
  const values = new Set(knownSecrets(tools))
  const servers = [...(recorder.subject?.fleet.servers.values() ?? [])]
  for (const value of (await Promise.all(servers.map((server) => readFromOutside(server, tools)))).flat()) {
    values.add(value)
  }
  const unknown: string[] = []
  await Promise.all(
    containers
      .filter(({ spec }) => spec.secrets.length > 0 || spec.authority !== undefined)
      .map(async ({ name, container, spec }) => {
        try {
          if (spec.secrets.length > 0)
            for (const value of (await readSecrets(tools.runtime, container.id, options)).values()) values.add(value)
          // Loaded on demand: most fleets have no certificates.
          const certificates = spec.authority && (await import('../../servers/certificates.ts'))
          const key = await certificates?.readKey(tools.runtime, container.id, options)
          if (key !== undefined) values.add(bodyOf(key))
        } catch (error) {
          const isGone = isFailure(error, 'NOT_FOUND')
          if (!isGone && recorder.subject?.secrets.has(name) !== true) unknown.push(name)
        }
      }),
  )
  return { values, unknown }
}

/** One whose variable is not set, or whose file is gone, cannot be in what is written either. */
async function readFromOutside(server: Server, { host }: Tools): Promise<string[]> {
  const fromOutside = [...server.secrets].filter(([, origin]) => origin.kind !== 'generate')
  const found = await Promise.all(
    fromOutside.map(async (secret) => {
      const only = { ...server, secrets: new Map([secret]) }
      return await resolveSecrets(only, host).catch(() => new Map<string, string>())
    }),
  )
  return found.flatMap((secrets) => [...secrets.values()])
}
