import { formatWhy } from '../model/format-why.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, sessionOptions } from './call.ts'

/** Exit code 1 says that something was wrong. */
export async function run(call: Call): Promise<number> {
  const report = await clientOf(call).why(sessionOptions(call))
  answer(call, report, formatWhy(report))
  return report.causes.length === 0 ? 0 : 1
}
