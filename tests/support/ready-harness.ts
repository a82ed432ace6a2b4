import { currentHost } from '../../src/current-host.ts'
import { type Harness, openHarness, pack } from '../../src/engine/conformance/harness.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import type { ContainerSpec } from '../../src/model/container.ts'
import type { Port, ReadyCheck } from '../../src/model/fleet.ts'
import type { Reach } from '../../src/ready/probe.ts'
import type { CheckSubject } from '../../src/ready/run-check.ts'
import { waitUntilReady } from '../../src/ready/wait-until-ready.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { stagedServer } from './perl-servers.ts'

export async function openReadyHarness(): Promise<Harness> {
  return openHarness(await openEngine(undefined, currentHost()), 'debian:bookworm-slim')
}

/** How a probe may go: as it finds out by itself, or as if this machine had no route to the engine's networks. */
export type Route = 'direct' | 'published'

/** A container as the waiter sees it. */
export async function subjectOf(
  harness: Harness,
  containerId: string,
  ports: readonly Port[],
  route: Route = 'direct',
): Promise<CheckSubject> {
  const runtime = openContainers(harness.engine)
  const reach: Reach = runtime.reach(await runtime.inspectServer(containerId), ports)
  return {
    server: 'server',
    hostname: 'server.ready.test',
    containerId,
    runtime,
    reach: route === 'direct' ? reach : { ...reach, direct: () => undefined },
    readSecret: async (name) => `secret-${name}`,
  }
}

export function publish(container: number, protocol: Port['protocol'] = 'tcp'): Port & { address: string } {
  return { container, protocol, host: undefined, address: '127.0.0.1' }
}

/** A server that goes from stage to stage as the test says. */
export interface StagedServer {
  readonly subject: CheckSubject
  /** The text that it sends from now on when a client connects (banner) or sends something (reply). */
  stage(name: 'listen' | 'banner' | 'reply', content?: string): Promise<void>
}

export async function startStaged(
  harness: Harness,
  route: Route,
  changes: Partial<ContainerSpec> = {},
): Promise<StagedServer> {
  const ports = changes.ports ?? [publish(8080)]
  const id = await harness.start({ command: stagedServer(8080), ports, ...changes })
  return {
    subject: await subjectOf(harness, id, ports, route),
    stage: async (name, content = '') => harness.engine.putArchive(id, '/', await pack({ [`stage/${name}`]: content })),
  }
}

/** A wait that a test looks at while it goes on. */
export interface WatchedWait {
  readonly result: Promise<boolean>
  /** What the checks have answered so far, the name of each in front. */
  readonly answers: readonly string[]
  isSettled(): boolean
  /** Resolves once a check answers so; rejects when the wait is over before that, or after a minute. */
  answered(pattern: RegExp): Promise<void>
}

const ANSWER_DEADLINE_MS = 60_000

export function watchWait(
  subject: CheckSubject,
  checks: readonly ReadyCheck[],
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): WatchedWait {
  const answers: string[] = []
  const listeners = new Set<() => void>()
  let isSettled = false
  const result = waitUntilReady(subject, {
    checks,
    timeoutMs: options.timeoutMs ?? 100_000,
    signal: options.signal ?? new AbortController().signal,
    onAnswer(check, answer) {
      if (answer === undefined) return
      answers.push(`${check}: ${answer}`)
      for (const listener of listeners) listener()
    },
  }).finally(() => {
    isSettled = true
    for (const listener of listeners) listener()
  })
  // Looked at by the test when it wants to.
  result.catch(() => {})
  return {
    result,
    answers,
    isSettled: () => isSettled,
    answered: (pattern) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(clock)
          listeners.delete(look)
        }
        const look = (): void => {
          if (!answers.some((answer) => pattern.test(answer))) {
            if (!isSettled) return
            reject(new Error(`the wait was over without ${pattern}: ${answers.join('; ')}`))
          } else resolve()
          stop()
        }
        const clock = setTimeout(() => {
          listeners.delete(look)
          reject(new Error(`no answer was ${pattern}: ${answers.join('; ')}`))
        }, ANSWER_DEADLINE_MS)
        listeners.add(look)
        look()
      }),
  }
}

export const tcp = (port: number, expect?: string, send?: string): ReadyCheck => ({ kind: 'tcp', port, send, expect })

export const http = (changes: Partial<Extract<ReadyCheck, { kind: 'http' | 'https' }>> = {}): ReadyCheck => ({
  kind: 'http',
  port: 8080,
  path: '/',
  status: [],
  headers: {},
  body: undefined,
  ...changes,
})

export const log = (text: string, isPattern = false): ReadyCheck => ({ kind: 'log', text, isPattern })
export const exec = (...command: string[]): ReadyCheck => ({ kind: 'exec', command })
export const exit = (code: number): ReadyCheck => ({ kind: 'exit', code })
export const healthcheck: ReadyCheck = { kind: 'healthcheck' }
