import type { ContainerSummary } from '../model/container.ts'
import type { CheckSubject } from '../ready/run-check.ts'
import { waitUntilReady } from '../ready/wait-until-ready.ts'
import { openSecretReader, type SecretReader } from '../servers/secrets.ts'
import type { ServerToAwait } from '../sessions/tools.ts'
import type { Tools } from '../tools.ts'

export interface Answers {
  onAnswer?(check: string, answer: string | undefined): void
  onHold?(check: string): void
  /** Where the server's secrets are read; without it, they are read from its container when a check needs them. */
  readonly readSecrets?: SecretReader
}

/**
 * Waits until a server is ready; true when it has done its work and ended as an `exit` check demands. Fails with
 * READY_TIMEOUT or SERVER_DIED.
 */
export async function awaitReady(
  server: ServerToAwait,
  container: ContainerSummary,
  tools: Pick<Tools, 'runtime'>,
  signal: AbortSignal,
  { onAnswer = () => {}, onHold = () => {}, readSecrets = openSecretReader(tools.runtime, {}) }: Answers = {},
): Promise<boolean> {
  const { ready: checks, readyTimeoutMs: timeoutMs } = server.spec
  return waitUntilReady(describeSubject(server, container, tools, readSecrets), {
    checks,
    timeoutMs,
    signal,
    onAnswer,
    onHold,
  })
}

/** As `awaitReady`, for a server that is being put back. */
export function awaitReturn(tools: Pick<Tools, 'runtime'>) {
  return async (server: ServerToAwait, signal: AbortSignal): Promise<void> => {
    await awaitReady(server, await tools.runtime.inspectServer(server.container, { signal }), tools, signal)
  }
}

function describeSubject(
  { server, spec, rights }: ServerToAwait,
  container: ContainerSummary,
  { runtime }: Pick<Tools, 'runtime'>,
  readSecrets: SecretReader,
): CheckSubject {
  return {
    server,
    hostname: spec.hostname,
    containerId: container.id,
    runtime,
    reach: runtime.reach(container, spec.ports),
    ...(rights === undefined ? {} : { rights }),
    async readSecret(name) {
      // The container has them from before its start to its end.
      return (await readSecrets(container.id)).get(name) ?? ''
    },
  }
}
