import { formatEnvironment } from '../../endpoints/format-environment.ts'
import { leaveOutTrust } from '../../endpoints/trust-variables.ts'
import { readEnvironment } from '../../report/environment.ts'
import { observeServers, reportSession } from '../../report/report.ts'
import { type CallSettings, withSession } from '../call.ts'
import type { EnvironmentFormat, EnvironmentOptions } from '../types/environment.ts'

export function environment(
  client: CallSettings,
  options: EnvironmentOptions,
): Promise<Readonly<Record<string, string>>> {
  return withSession(client, options, async (session, tools) => {
    const observed = await observeServers(session, tools.runtime, tools)
    const report = await reportSession(session, observed, new Set(), tools)
    const variables = await readEnvironment(session, report, tools)
    return options.trust === false ? leaveOutTrust(variables) : variables
  })
}

export async function environmentText(
  client: CallSettings,
  format: EnvironmentFormat,
  options: EnvironmentOptions,
): Promise<string> {
  return formatEnvironment(await environment(client, options), format)
}
