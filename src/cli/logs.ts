import type { LogLine } from '../api/types/logs.ts'
import { TestfleetError } from '../model/failures.ts'
import { toJsonText, waitForReader, writeJson } from './answer.ts'
import { type Call, clientOf, flag, numberOption, sessionOptions, sinceOption } from './call.ts'
import { choosePalette } from './palette.ts'

const colors = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const

/** With --json, prints one document. With --follow, which has no end, prints one for each line. */
export async function run(call: Call): Promise<number> {
  const follow = flag(call, 'follow')
  const options = {
    ...sessionOptions(call),
    servers: call.servers,
    follow,
    tail: numberOption(call, 'tail'),
    since: sinceOption(call),
    timestamps: flag(call, 'timestamps'),
  }
  const lines: LogLine[] = []
  const isOneDocument = call.json && !follow
  const onLine = isOneDocument ? openCollector(lines) : openPrinter(call)
  for await (const line of clientOf(call).logs(options)) {
    onLine(line)
    await waitForReader(call.signal)
  }
  if (isOneDocument) writeJson(call, { lines })
  return 0
}

/** In characters. A document of more than twice this length no longer fits into one string. */
const MAX_DOCUMENT_LENGTH = 64 * 1024 * 1024

function openCollector(lines: LogLine[]): (line: LogLine) => void {
  let length = 0
  return (line) => {
    // A short line costs more than its text.
    length += line.text.length + 100
    if (length > MAX_DOCUMENT_LENGTH) {
      throw new TestfleetError('OUTPUT_TOO_LONG', 'the logs are too long for one JSON document', {
        hint: 'Ask for less with --tail, or for a document a line with --follow.',
      })
    }
    lines.push(line)
  }
}

/** Prints each line immediately, for people with the server's name and without control characters. */
function openPrinter({ json, color, output }: Call): (line: LogLine) => void {
  if (json) return (line) => output.writeData(`${toJsonText(line)}\n`)
  const palette = choosePalette(process.stdout.isTTY === true, color, process.env)
  const known: string[] = []
  return ({ server, text }) => {
    if (!known.includes(server)) known.push(server)
    const style = colors[known.indexOf(server) % colors.length] ?? 'cyan'
    output.write(`${palette.style(style, `${server} |`)} ${text}\n`)
  }
}
