import { describePresets } from '../../config/describe-presets.ts'
import { listServerNames } from '../../config/list-server-names.ts'
import { locateFleetFile } from '../../config/locate-fleet-file.ts'
import { SESSION } from '../../formats/grammar.ts'
import type { Host } from '../../model/host.ts'
import { openTools } from '../../open-tools.ts'
import { chooseSession, findSession } from '../../sessions/resolve.ts'
import type { StoredRecord } from '../../sessions/store.ts'

/** A word that the shell offers, and what the shell shows next to it. */
export interface Candidate {
  readonly word: string
  readonly help: string
}

export type GivenOptions = Readonly<Record<string, string | undefined>>

/** Questions of a completion to the fleet file, the catalogue and the engine. An answer that is not available is empty. */
export interface Lookups {
  servers(options: GivenOptions): Promise<readonly string[]>
  sessions(options: GivenOptions): Promise<readonly string[]>
  presets(): Promise<readonly Candidate[]>
}

/** A person waits for it, and can type the word in that time. */
const DEADLINE_MS = 1000

/** Answers from files and from the engine; whatever fails is an empty answer. */
export function openLookups(host: Host, signal: AbortSignal): Lookups {
  const records = (engine: string | undefined) => listRecords(engine, host, signal).catch(() => [])
  return {
    async presets() {
      const presets = await describePresets(host.presetsFolder).catch(() => [])
      return presets.map(({ name, description }) => ({ word: name, help: description }))
    },
    async sessions({ engine }) {
      return (await records(engine)).map(({ name }) => name).filter((name) => SESSION.test(name))
    },
    async servers({ file, session, engine }) {
      const path = expandHome(file, host)
      const inFile = session === undefined ? await listServerNames(path, host).catch(() => []) : undefined
      if (inFile !== undefined) return inFile
      const locateFile = async () => (await locateFleetFile(path, host)).realPath
      const choice = await chooseSession({ session, environment: {}, locateFile }).catch(() => undefined)
      const record = choice && findSession(choice, await records(engine))
      return Object.keys(record?.servers ?? {})
    },
  }
}

async function listRecords(
  engine: string | undefined,
  host: Host,
  signal: AbortSignal,
): Promise<readonly StoredRecord[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const request = { engine, isInsecureAllowed: false, archive: undefined, onEvent: () => {}, signal: limited }
  const tools = await openTools(request, host)
  try {
    return (await tools.sessions.list({ signal: limited })).sessions
  } finally {
    tools.engine.close()
  }
}

/** The shell gives words as they were typed, and expands `~` only when it runs them. */
function expandHome(path: string | undefined, { environment }: Host): string | undefined {
  return path?.replace(/^~(?=\/)/, environment.HOME ?? '~')
}
