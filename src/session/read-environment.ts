import { type ObservedSession, observeSession } from '../containers/observe.ts'
import { toEnvironment } from '../endpoints/environment.ts'
import type { SessionReport } from '../model/running.ts'
import { findTrust } from './find-trust.ts'
import { readExportSources } from './report.ts'
import type { Tools } from './tools.ts'

/** The variables by which tests find the servers of a session that is up. */
export async function readEnvironment(report: SessionReport, tools: Tools): Promise<Record<string, string>> {
  const observed = await observeSession(tools.engine, report.session, tools)
  return describeEnvironment(report, observed, tools)
}

/** The same, of a session that has just been looked at. What the fleet file exports goes first. */
export async function describeEnvironment(
  report: SessionReport,
  observed: ObservedSession,
  tools: Tools,
): Promise<Record<string, string>> {
  const [trust, sources] = await Promise.all([
    findTrust(observed, tools),
    readExportSources(observed, tools.engine, tools.signal),
  ])
  return { ...trust, ...toEnvironment(report, sources) }
}
