import type { HttpCheck, Port, ReadyCheck } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import type { ProtocolCheck } from '../model/protocols.ts'
import { type ProtocolName, protocolNames } from '../model/protocols.ts'

export function defaultReadyChecks(ports: readonly Port[]): ReadyCheck[] {
  return ports
    .filter((port) => port.protocol === 'tcp')
    .map((port) => ({ kind: 'tcp', port: port.container, send: undefined, expect: undefined }))
}

type ReadyDeclaration = NonNullable<ServerDeclaration['ready']>[number]

export function resolveReadyCheck(check: ReadyDeclaration): ReadyCheck {
  if (check.tcp !== undefined) {
    const { port, send, expect } = typeof check.tcp === 'number' ? { port: check.tcp } : check.tcp
    return { kind: 'tcp', port, send, expect }
  }
  if (check.http !== undefined) return resolveHttpCheck('http', check.http)
  if (check.https !== undefined) return resolveHttpCheck('https', check.https)
  if (check.exec !== undefined) return { kind: 'exec', command: check.exec }
  if (check.log !== undefined) {
    return typeof check.log === 'string'
      ? { kind: 'log', text: check.log, isPattern: false }
      : { kind: 'log', text: check.log.pattern, isPattern: true }
  }
  for (const name of protocolNames) if (check[name] !== undefined) return resolveProtocolCheck(name, check[name])
  if (check.healthcheck !== undefined) return { kind: 'healthcheck' }
  return { kind: 'exit', code: check.exit ?? 0 }
}

function resolveHttpCheck(kind: HttpCheck['kind'], check: NonNullable<ReadyDeclaration['http']>): HttpCheck {
  const status = check.status === undefined ? [] : [check.status].flat()
  return { kind, port: check.port, path: check.path ?? '/', status, headers: check.headers ?? {}, body: check.body }
}

function resolveProtocolCheck(kind: ProtocolName, asked: number | { readonly port: number }): ProtocolCheck {
  const fields = typeof asked === 'number' ? { port: asked } : asked
  return { kind, ...fields } as ProtocolCheck
}
