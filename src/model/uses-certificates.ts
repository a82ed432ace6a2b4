import type { Fleet } from './fleet.ts'

/** Whether any server of a fleet speaks TLS with a certificate of the fleet. */
export function usesCertificates(fleet: Fleet): boolean {
  return [...fleet.servers.values()].some(({ tls }) => tls !== undefined)
}
