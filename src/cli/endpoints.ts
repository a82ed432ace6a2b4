import { answer, formatReport } from './answer.ts'
import { type Call, choice, clientOf, sessionOptions } from './call.ts'

const formats = ['env', 'dotenv', 'json', 'shell', 'github'] as const

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', formats)
  const client = clientOf(call)
  if (format === undefined) {
    const report = await client.ps(sessionOptions(call))
    return answer(call, report, formatReport(report))
  }
  const options = { ...sessionOptions(call), trust: call.options.trust !== false }
  call.output.writeData(await client.environmentText(format, options))
  return 0
}
