import type { OnEvent } from '../model/events.ts'
import { formatHook } from '../model/hook.ts'
import { label } from '../model/labels.ts'
import type { PreStopFailure, StopListener, StoppableServer } from '../runtime/runtime.ts'
import { createMask } from './mask.ts'

/** Creates a listener that turns what happens while servers stop into events. */
export function reportStops(onEvent: OnEvent): StopListener {
  const warn = (message: string): void => onEvent({ kind: 'warned', message })
  return {
    onKilled: (server, graceMs) => warn(describeKilled(server, graceMs)),
    onPreStop(server, hook, number, total) {
      onEvent({ kind: 'hook', server: nameOf(server), hook: 'preStop', number, total, command: formatHook(hook) })
    },
    onPreStopFailed: (server, failure) => warn(wordPreStop(server, failure)),
  }
}

function nameOf({ labels }: StoppableServer): string {
  return labels[label.server] ?? ''
}

/** Words the warning for every call that stops a server: `stopGracePeriod` of its fleet file is always the remedy. */
function describeKilled(server: StoppableServer, graceMs: number): string {
  const signal = server.labels[label.stopSignal] ?? 'its stop signal'
  const howLong = `${graceMs / 1000} s after ${signal}`
  return `${nameOf(server)} was killed: it still ran ${howLong}; raise its \`stopGracePeriod\` if it needs longer`
}

function wordPreStop(server: StoppableServer, { hook, why, output, secrets }: PreStopFailure): string {
  const said = output.filter((line) => line.trim() !== '').join(' / ')
  const message = `${nameOf(server)}: the preStop command \`${formatHook(hook)}\` ${why}${said === '' ? '' : `: ${said}`}`
  return createMask(secrets).text(message)
}
