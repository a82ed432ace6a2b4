import { stripControls } from '../formats/strip-controls.ts'
import { followLogs, type LogLine, type LogsRequest } from '../logs.ts'
import { type Call, flag, numberOption } from './call.ts'
import { withSession, writeJson } from './open-tools.ts'
import { choosePalette } from './palette.ts'

const colors = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const

export async function run(call: Call): Promise<number> {
  const tail = numberOption(call, 'tail')
  const palette = choosePalette(process.stdout.isTTY === true, call.color, process.env)
  const known: string[] = []
  const request = {
    servers: call.servers,
    follow: flag(call, 'follow'),
    tail,
    timestamps: flag(call, 'timestamps'),
  }
  if (call.json) return writeJsonLogs(request, call)
  await withSession(call, (session, tools) =>
    followLogs(session, request, tools, ({ server, text }) => {
      if (!known.includes(server)) known.push(server)
      const color = colors[known.indexOf(server) % colors.length] ?? 'cyan'
      call.output.write(`${palette.style(color, `${server} |`)} ${process.stdout.isTTY ? stripControls(text) : text}\n`)
    }),
  )
  return 0
}

/** One document; with --follow, which has no end, one for each line. */
async function writeJsonLogs(request: LogsRequest, call: Call): Promise<number> {
  const lines: LogLine[] = []
  await withSession(call, (session, tools) =>
    followLogs(session, request, tools, (line) => {
      if (request.follow) call.output.write(`${JSON.stringify(line)}\n`)
      else lines.push(line)
    }),
  )
  if (!request.follow) writeJson(call, { lines })
  return 0
}
