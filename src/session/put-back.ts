import { readRunningSpec } from '../containers/running-spec.ts'
import { wordError } from '../formats/word-error.ts'
import type { ContainerSummary } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import { readSetAside } from '../model/lease.ts'
import { waitUntilReady } from '../ready/wait-until-ready.ts'
import { describeSubject } from './check-subject.ts'
import { settleAll } from './settle.ts'
import type { Tools } from './tools.ts'

/**
 * Gives containers that were set aside their names back, and starts again those that ran, each once what it depends on
 * is ready. Returns what went wrong, a failure for each server.
 */
export async function putBack(aside: readonly ContainerSummary[], tools: Tools): Promise<unknown[]> {
  const { engine, signal } = tools
  const servers = new Map(aside.map((container) => [serverOf(container), container]))
  const returns = new Map<string, Promise<void>>()
  const returned = (server: string, container: ContainerSummary): Promise<void> => {
    const known = returns.get(server) ?? bringBack(server, container)
    returns.set(server, known)
    return known
  }
  const bringBack = async (server: string, container: ContainerSummary): Promise<void> => {
    const was = readSetAside(container.name)
    const spec = readRunningSpec(container.labels)
    try {
      if (was !== undefined) await engine.renameContainer(container.id, was.original, { signal })
      if (was?.ran !== true) return
      for (const name of spec.dependsOn) {
        const dependency = servers.get(name)
        // What it depends on says itself that it is not back.
        if (dependency !== undefined) await returned(name, dependency).catch(() => {})
      }
      await engine.startContainer(container.id, { signal })
      const running = await engine.inspectContainer(container.id, { signal })
      const subject = describeSubject(server, running, spec, engine)
      await waitUntilReady(subject, { checks: spec.ready, timeoutMs: spec.readyTimeoutMs, signal, onAnswer() {} })
    } catch (error) {
      throw notBack(server, error)
    }
  }
  return settleAll([...servers].map(([server, container]) => returned(server, container)))
}

function serverOf({ labels, name }: ContainerSummary): string {
  return labels[label.server] ?? name
}

function notBack(server: string, error: unknown): TestfleetError {
  return new TestfleetError(
    'CLEANUP_FAILED',
    `${server}, which was replaced, could not be put back: ${wordError(error)}`,
    {
      server,
      cause: error,
    },
  )
}
