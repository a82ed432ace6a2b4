import type { CallOptions } from '../../engine/engine.ts'
import { readText } from '../../engine/output-text.ts'
import { isFailure } from '../../model/failures.ts'
import type { Tools } from '../../tools.ts'
import type { Mask } from '../mask.ts'
import type { BundledServer } from './gather.ts'

/** Of the server that failed. */
const LAST_LINES = 40
/** Of each, when it is not known which it was. */
const LAST_LINES_OF_EACH = 10
const MOST_SERVERS = 12
const MAX_LINE_LENGTH = 1000

/** The end of the logs that say why, masked: of the failed server, where its failure does not show it; else of all. */
export async function readLastLines(
  failure: unknown,
  servers: readonly BundledServer[],
  mask: Mask,
  { engine }: Tools,
  options: CallOptions,
): Promise<Map<string, readonly string[]>> {
  const isOfServer = isFailure(failure)
  if (isOfServer && (failure.server === undefined || failure.output.length > 0)) return new Map()
  const wanted = isOfServer ? servers.filter(({ name }) => name === failure.server) : servers.slice(0, MOST_SERVERS)
  const request = { follow: false, tail: isOfServer ? LAST_LINES : LAST_LINES_OF_EACH }
  const read = async ({ name, container }: BundledServer): Promise<[string, readonly string[]][]> => {
    if (container === undefined || container.state === 'created') return []
    try {
      const text = mask.text(await readText(engine.readLogs(container.id, request, options)))
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      return [[name, lines.map(shorten)]]
    } catch {
      // Its log has a file of its own, which says why.
      return []
    }
  }
  return new Map((await Promise.all(wanted.map(read))).flat())
}

/** After it was masked, so that no part of a secret stays. */
function shorten(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line
}
