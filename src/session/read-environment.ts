import { observeSession } from '../containers/observe.ts'
import { toEnvironment } from '../endpoints/environment.ts'
import type { SessionReport } from '../model/running.ts'
import { readExportSources } from './report.ts'
import type { Tools } from './tools.ts'

/** The variables by which tests find the servers of a session that is up. */
export async function readEnvironment(report: SessionReport, tools: Tools): Promise<Record<string, string>> {
  const observed = await observeSession(tools.engine, report.session, tools)
  return toEnvironment(report, await readExportSources(observed, tools.engine, tools.signal))
}
