import { type Fleet, type Port, portPath, type Server } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'

export function checkFixedPorts(fleet: Fleet, report: ReportMistake): void {
  const fixed = new Map<string, { readonly server: Server; readonly port: Port }[]>()
  for (const server of fleet.servers.values()) {
    server.ports.forEach((port, index) => {
      const host = server.runs.kind === 'process' ? port.container : port.host
      if (host === undefined) return
      const key = `${host}/${port.protocol}`
      const earlier = fixed.get(key) ?? []
      const other = earlier.find((one) => isSameAddress(one.port, port))
      if (other === undefined) fixed.set(key, [...earlier, { server, port }])
      else
        report(portPath(server, index), `the port ${host} of this machine is taken by \`${other.server.name}\` already`)
    })
  }
}

/** An address of one kind says nothing of the other: an engine listens at 0.0.0.0 and at :: side by side. */
export function isSameAddress(one: Port, other: Port): boolean {
  const [a, b] = [one.address ?? '127.0.0.1', other.address ?? '127.0.0.1']
  if (a.includes(':') !== b.includes(':')) return false
  return a === b || [a, b].some((address) => address === '0.0.0.0' || address === '::')
}
