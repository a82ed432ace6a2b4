import { stripControls } from '../formats/strip-controls.ts'
import { followLogs, type LogLine } from '../logs.ts'
import { writeJson } from './answer.ts'
import { type Call, flag, numberOption, withSession } from './call.ts'
import { choosePalette } from './palette.ts'

const colors = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const

/** With --json, prints one document; with --follow, which has no end, one for each line. */
export async function run(call: Call): Promise<number> {
  const follow = flag(call, 'follow')
  const request = {
    servers: call.servers,
    follow,
    tail: numberOption(call, 'tail'),
    timestamps: flag(call, 'timestamps'),
  }
  const lines: LogLine[] = []
  const isOneDocument = call.json && !follow
  const onLine = isOneDocument ? (line: LogLine) => void lines.push(line) : openPrinter(call)
  await withSession(call, (session, tools) => followLogs(session, request, tools, onLine))
  if (isOneDocument) writeJson(call, { lines })
  return 0
}

/** Prints each line as it comes, for a person with the server's name in its own colour. */
function openPrinter({ json, color, output }: Call): (line: LogLine) => void {
  if (json) return (line) => output.write(`${JSON.stringify(line)}\n`)
  const palette = choosePalette(process.stdout.isTTY === true, color, process.env)
  const known: string[] = []
  return ({ server, text }) => {
    if (!known.includes(server)) known.push(server)
    const style = colors[known.indexOf(server) % colors.length] ?? 'cyan'
    output.write(`${palette.style(style, `${server} |`)} ${process.stdout.isTTY ? stripControls(text) : text}\n`)
  }
}
