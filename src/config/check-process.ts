import { constants } from 'node:os'
import type { FieldPath } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import type { ReportMistake } from './document.ts'

/** Keys that mean something for a program of this machine. */
const keys = new Set([
  ...['aliases', 'dependsOn', 'environment', 'execEnvironment', 'export', 'ignore', 'ports', 'postStart', 'preStop'],
  ...['process', 'publicNames', 'ready', 'readyTimeout', 'restart', 'secrets', 'stopGracePeriod', 'stopSignal'],
  'workingDir',
])

/** Reports what only a container can have. */
export function checkProcess(declaration: ServerDeclaration, at: FieldPath, report: ReportMistake): void {
  for (const key of Object.keys(declaration))
    if (!keys.has(key)) report([...at, key], 'means nothing for a process of this machine, which has no container')
  const { stopSignal } = declaration
  if (stopSignal !== undefined && !(stopSignal in constants.signals))
    report([...at, 'stopSignal'], 'cannot be sent to a process; use one such as SIGTERM, SIGINT or SIGQUIT')
  if (stopSignal === 'SIGSTOP' || stopSignal === 'SIGCONT')
    report([...at, 'stopSignal'], 'cannot end a process; use one such as SIGTERM, SIGINT or SIGQUIT')
  declaration.ports?.forEach((port, index) => {
    if (typeof port !== 'object') return
    for (const key of ['host', 'address'] as const)
      if (port[key] !== undefined)
        report(
          [...at, 'ports', index, key],
          'means nothing for a process, which listens on 127.0.0.1 at the port itself',
        )
  })
  declaration.ready?.forEach((check, index) => {
    if (check.healthcheck !== undefined)
      report([...at, 'ready', index, 'healthcheck'], 'is part of an image, and a process has none')
  })
  for (const kind of ['postStart', 'preStop'] as const)
    declaration[kind]?.forEach((hook, index) => {
      if ('user' in hook && hook.user !== undefined)
        report([...at, kind, index, 'user'], 'means nothing for a process, whose commands run as you')
    })
}
