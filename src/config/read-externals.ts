import { isBlock } from '../formats/block.ts'
import { type ExternalUrl, readExternalUrl } from '../formats/external-url.ts'
import { PROCESS_VARIABLE } from '../formats/grammar.ts'
import type { Mistake } from '../model/failures.ts'
import type { FieldPath } from '../model/fleet.ts'
import { type FleetDocument, type ReportMistake, reportTo } from './document.ts'

/** A server that runs elsewhere, as the fleet file or the caller's environment declares it. */
export interface External {
  readonly url: ExternalUrl
  /** Variable of the caller's environment that holds the URL; undefined when the fleet file does. */
  readonly from: string | undefined
  /** Name of the secret that holds the password of the URL. */
  readonly secret: string
}

/** The servers that run elsewhere, by name. A server whose variable is not set is none. */
export type Externals = ReadonlyMap<string, External>

/** Name of the secret where no preset has one for a password. */
const PASSWORD = 'PASSWORD'

/** Reads the URLs of servers that run elsewhere. What is no text and no variable is left to the schema. */
export function readExternals(
  document: FleetDocument,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly externals: Externals; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const report = reportTo(mistakes, document)
  const { value } = document
  const servers = isBlock(value) && isBlock(value.servers) ? Object.entries(value.servers) : []
  const externals = new Map<string, External>()
  for (const [name, server] of servers) {
    if (!isBlock(server)) continue
    const at = ['servers', name, 'external']
    const external =
      typeof server.external === 'string'
        ? readWritten(server.external, at, report)
        : readVariable(server, environment, [...at, 'env'], report)
    if (external !== undefined) externals.set(name, external)
  }
  return { externals, mistakes }
}

function readWritten(text: string, at: FieldPath, report: ReportMistake): External | undefined {
  const url = readExternalUrl(text)
  if (typeof url !== 'string') return { url, from: undefined, secret: PASSWORD }
  report(at, url)
  return undefined
}

function readVariable(
  { external, image, build, preset }: Record<string, unknown>,
  environment: Readonly<Record<string, string | undefined>>,
  at: FieldPath,
  report: ReportMistake,
): External | undefined {
  const from = isBlock(external) ? external.env : undefined
  if (typeof from !== 'string' || !PROCESS_VARIABLE.test(from)) return undefined
  const text = Object.hasOwn(environment, from) ? environment[from] : undefined
  if (text === undefined || text === '') {
    const hasContainer = [image, build, preset].some((source) => source !== undefined)
    const why = `the variable ${from} is not set where testfleet was called`
    if (!hasContainer) report(at, `${why}, and the server has no image, build or preset to run instead`)
    return undefined
  }
  const url = readExternalUrl(text)
  if (typeof url !== 'string') return { url, from, secret: PASSWORD }
  report(at, `the value of ${from} ${url}`)
  return undefined
}
