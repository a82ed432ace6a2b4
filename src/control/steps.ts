import { type ContainerSummary, stopGrace } from '../model/container.ts'
import { reportOperation } from '../plan/carry-out.ts'
import { awaitReady, type ObservedServer } from '../report/report.ts'
import type { LifeState } from '../report/server-state.ts'
import { tellChecks } from '../report/tell-checks.ts'
import { graceOf } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import type { Control } from './verbs.ts'

/** Does what the call requests, for one server. */
export type Step = (server: ObservedServer, life: LifeState) => Promise<void>

interface Doing {
  readonly started: Set<string>
  readonly stopped: Set<string>
}

export function openSteps(control: Control, done: Doing, tools: Tools): Step {
  const { runtime, signal, onEvent } = tools
  const options = { signal }
  const start = async ({ name, container: { id }, spec }: ObservedServer): Promise<void> => {
    onEvent({ kind: 'starting', server: name })
    const about = { id: `start ${name}`, server: name, reason: control.verb } as const
    // What it waited for. A server that did not run was not stopped.
    const needs = [`stop ${name}`, ...findNeeds(spec)]
    const begin = () => runtime.startServer(id, options)
    await reportOperation({ ...about, needs, kind: 'startServer' }, onEvent, begin)
    done.stopped.delete(name)
    done.started.add(name)
  }
  const stop = async ({ name, container, spec }: ObservedServer, graceMs: number | undefined): Promise<void> => {
    onEvent({ kind: 'stopping', server: name })
    const about = { id: `stop ${name}`, server: name, container: container.id, reason: control.verb } as const
    const end = () => runtime.stopServer(container, { ...options, graceMs: graceMs ?? findGrace(container) })
    // A restart stops a server after those that it depends on are ready again.
    const needs = control.verb === 'restart' ? findNeeds(spec) : []
    await reportOperation({ ...about, needs, kind: 'stopServer' }, onEvent, end)
    done.stopped.add(name)
    onEvent({ kind: 'stopped', server: name })
  }
  const settle = async (server: ObservedServer, beganAt: number): Promise<void> => {
    if ('waits' in control && control.waits) await awaitServer(server, beganAt, tools)
  }
  const inTurn = openTurns()
  switch (control.verb) {
    case 'start':
      return async (server, { state }) => {
        const beganAt = performance.now()
        if (state !== 'running') await start(server)
        await settle(server, beganAt)
      }
    case 'restart':
      return async (server, { state }) => {
        const beganAt = performance.now()
        // Restarts them one at a time: a server gets its address back only if no other one starts meanwhile.
        await inTurn(async () => {
          if (state === 'running' || state === 'paused') await stop(server, control.graceMs)
          await start(server)
        })
        await settle(server, beganAt)
      }
    case 'stop':
      return (server) => stop(server, control.graceMs)
    case 'kill':
      return async ({ name, container: { id } }) => {
        await runtime.killServer(id, control.signal, options)
        if (ends(control.signal)) done.stopped.add(name)
        onEvent({ kind: 'killed', server: name, signal: control.signal })
      }
    case 'pause':
      return async ({ name, container: { id } }) => {
        await runtime.pauseServer(id, options)
        onEvent({ kind: 'paused', server: name })
      }
    case 'resume':
      return async (server, { state }) => {
        const beganAt = performance.now()
        if (state === 'paused') {
          await runtime.resumeServer(server.container.id, options)
          onEvent({ kind: 'resumed', server: server.name })
        }
        await settle(server, beganAt)
      }
  }
}

function findNeeds({ dependsOn }: ObservedServer['spec']): string[] {
  return dependsOn.map((other) => `ready ${other}`)
}

/** A person who stops a server expects a clean end, even if its fleet file sets no grace period. */
function findGrace(container: ContainerSummary): number {
  return graceOf(container) || stopGrace.defaultMs
}

/** Signals that are meant to end a server. After any other signal, its end is not what the call intended. */
function ends(signal: string): boolean {
  return /^SIG(?:KILL|TERM|INT|QUIT|ABRT)$/.test(signal)
}

async function awaitServer(server: ObservedServer, beganAt: number, tools: Tools): Promise<void> {
  const { name } = server
  const operation = { id: `ready ${name}`, needs: [`start ${name}`], kind: 'awaitReady', server: name } as const
  await reportOperation(operation, tools.onEvent, () => awaitChecks(server, beganAt, tools))
}

async function awaitChecks({ name, container: { id }, spec }: ObservedServer, beganAt: number, tools: Tools) {
  const { runtime, signal, onEvent } = tools
  // Its address and ports may have changed.
  const container = await runtime.inspectServer(id, { signal })
  const isCompleted = await awaitReady(
    { server: name, container: id, spec },
    container,
    tools,
    signal,
    tellChecks(name, onEvent),
  )
  onEvent({ kind: 'ready', server: name, elapsedMs: performance.now() - beganAt, isKept: false, isCompleted })
}

/** Runs one job at a time, in the order of the calls. */
function openTurns(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
}
