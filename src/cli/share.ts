import { answer, formatReport } from './answer.ts'
import {
  bindOption,
  type Call,
  clientOf,
  flag,
  numberOption,
  textOption,
  timelineOption,
  timeoutOption,
} from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, session, signal } = call
  const options = {
    ...{ servers, session, signal, bind: bindOption(call), keep: flag(call, 'keep'), lender: flag(call, 'lender') },
    ...{ timeoutMs: timeoutOption(call), bundle: textOption(call, 'bundle'), timeline: timelineOption(call) },
    process: numberOption(call, 'pid') ?? call.host.parentProcessId,
  }
  const shared = await clientOf(call).shareSession(call.file, options)
  return answer(call, shared, `${formatReport(shared)}held for process ${shared.process} until that ends\n`)
}
