import { resolve } from 'node:path'
import type { ServerRun } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import { checkProcess } from './check-process.ts'
import { findMainPort } from './external-ports.ts'
import { type ResolveContext, resolveImage } from './resolve-image.ts'
import { portsOf } from './resolve-ports.ts'

/** Returns how a server runs. */
export function resolveRun(name: string, declaration: ServerDeclaration, context: ResolveContext): ServerRun {
  const external = context.externals.get(name)
  if (external !== undefined) {
    const { url } = external
    const ports = (declaration.ports ?? []).flatMap(portsOf)
    const main = findMainPort(ports, declaration.ready ?? [], url)
    const addresses = ports.map(({ container, protocol }) => ({
      container,
      protocol,
      address: url.host,
      port: container === main?.container && protocol === main.protocol ? url.port : container,
    }))
    return { kind: 'external', url: url.shown, from: external.from, addresses }
  }
  if (declaration.process === undefined) return { kind: 'container', image: resolveImage(name, declaration, context) }
  checkProcess(declaration, ['servers', name], context.report)
  const { folder } = context.surroundings
  return { kind: 'process', command: declaration.process, folder: resolve(folder, declaration.workingDir ?? '.') }
}
