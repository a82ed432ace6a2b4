import { findSession } from '../../sessions/resolve.ts'
import { describeSbom } from '../../supply/sbom.ts'
import { type CallSettings, chooseCallSession, hostOf, loadSource, withTools } from '../call.ts'
import type { SbomOptions } from '../types/sbom.ts'

export async function sbom(client: CallSettings, server: string, options: SbomOptions): Promise<object> {
  const host = hostOf(client)
  const { source } = options
  const fleet = await loadSource(source, [server], host)
  const file = typeof source === 'string' ? source : undefined
  const choice = await chooseCallSession({ ...options, file }, host)
  return withTools(
    client,
    options,
    (tools, sessions) => describeSbom({ fleet, server, session: findSession(choice, sessions) }, tools),
    { session: choice },
  )
}
