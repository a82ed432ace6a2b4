import { isBlock } from '../formats/block.ts'
import type { ExternalUrl } from '../formats/external-url.ts'
import { isSecureScheme, plainScheme } from '../formats/url-schemes.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'
import { findMainPort, listSchemes, readCheck } from './external-ports.ts'
import { fillPreset } from './fill-preset.ts'
import { findCheck, fitCheck, fitExport, type Known } from './fit-external.ts'
import type { Block } from './merge-server.ts'
import type { External } from './read-externals.ts'
import type { Preset } from './read-preset.ts'
import { type PortItem, portsOf } from './resolve-ports.ts'
import { defaultsOf, type OptionValues } from './take-options.ts'

/** Keys of a server that mean something for one that testfleet does not start. */
const keys = new Set([
  ...['dependsOn', 'export', 'external', 'ignore', 'options', 'ports', 'preset', 'ready', 'readyTimeout', 'secrets'],
])
/** Checks that look into a container. */
const checksInside = new Set(['exec', 'exit', 'healthcheck', 'log'])
/** Options that describe a server, and not how it is started. */
const optionsOfUrl = new Set(['database', 'login', 'password', 'tls', 'user'])

/**
 * Reports keys and checks that mean nothing for an external server. One whose URL comes from a variable is a container
 * where that is not set, and may have them.
 */
export function checkExternal(server: Block, external: External, at: FieldPath, report: ReportMistake): void {
  const nothing = 'means nothing for an external server, which testfleet does not start'
  for (const key of Object.keys(server)) if (!keys.has(key)) report([...at, key], nothing)
  for (const option of Object.keys(blockOf(server.options)))
    if (!optionsOfUrl.has(option)) report([...at, 'options', option], nothing)
  for (const option of listGivenTwice(external, blockOf(server.options)))
    report([...at, 'options', option], 'is in the URL of `external` already')
  listOf(server.ready).forEach((item, index) => {
    const kind = readCheck(item)?.kind ?? ''
    if (checksInside.has(kind))
      report([...at, 'ready', index, kind], 'looks into a container, and the server is external')
  })
  for (const [name, secret] of Object.entries(blockOf(server.secrets)))
    if (isGenerated(secret))
      report([...at, 'secrets', name], 'cannot be generated: an external server has its passwords already')
}

/** What becomes of a server of the fleet file that runs elsewhere. */
export interface ExternalParts {
  /** What its preset declares, and what follows from its URL. */
  readonly filled: Block
  /** What the fleet file declares. */
  readonly own: Block
  /** Name of the secret that holds the password of the URL. */
  readonly secret: string
}

interface PresetChoice {
  readonly preset: Preset
  /** As the fleet file gives them. */
  readonly options: Block
}

/** Returns the server that replaces a container. Reports a URL that its preset does not fit. */
export function expandExternal(
  server: Block,
  external: External,
  choice: PresetChoice | undefined,
  refuse: (message: string) => void,
): ExternalParts {
  const { url } = external
  const kept = Object.entries(server).filter(([key]) => keys.has(key) && key !== 'preset' && key !== 'options')
  const own = Object.fromEntries(kept)
  const login = findLogin(external, choice)
  const secret = (choice && findPasswordSecret(choice.preset)) ?? external.secret
  const values = choice && fitOptions(choice, login, external)
  const ofPreset: Block = choice && values ? fillPreset(withoutStart(choice.preset), values) : {}
  const ports = listPorts(own.ports ?? ofPreset.ports, url)
  const numbered = ports.flatMap(portsOf)
  const checks = [...listOf(own.ready), ...listOf(ofPreset.ready)]
  if (choice !== undefined) refuseOther(choice.preset.name, listSchemes(numbered, checks), external, refuse)
  const { user, database, password } = login
  const main = findMainPort(numbered, checks, url)
  const known: Known = { url, main, user, database, password: password === undefined ? undefined : secret }
  const fitted = external.from === undefined ? own : fitOwn(own, known)
  const secrets = password === undefined ? {} : { [secret]: password }
  const hasSecret = (name: string): boolean => Object.hasOwn({ ...secrets, ...blockOf(fitted.secrets) }, name)
  const filled = {
    ...(own.ports === undefined && { ports }),
    ready: listChecks(ofPreset.ready, known),
    ...(ofPreset.readyTimeout !== undefined && { readyTimeout: ofPreset.readyTimeout }),
    ...(password !== undefined && { secrets }),
    ...(choice && values && { export: fillExports(choice.preset, values, known, hasSecret) }),
  }
  return { filled, own: fitted, secret }
}

/** Options of a preset that the URL gives a value, too: one of the two would have no effect. */
function listGivenTwice({ url }: External, options: Block): readonly string[] {
  const given = { user: url.user, password: url.password, database: url.path === '' ? undefined : url.path }
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined || options[name] === undefined ? [] : [name],
  )
}

interface Login extends Pick<Known, 'user' | 'database'> {
  /** Source of the password, as a secret of the fleet file declares it. */
  readonly password: unknown
}

/** The URL comes first. Options of the preset say what it leaves out. */
function findLogin({ url }: External, choice: PresetChoice | undefined): Login {
  const { user, password, database } = choice?.options ?? {}
  const isDatabase =
    choice === undefined ? hasDatabases.test(url.scheme) : choice.preset.options?.database !== undefined
  const named = isDatabase && url.path !== '' ? decodeURIComponent(url.path.slice(1)) : database
  const secret = url.password === undefined ? password : { value: url.password }
  return {
    user: url.user ?? textOf(user),
    database: textOf(named),
    password: isGenerated(secret) ? undefined : secret,
  }
}

/** Protocols whose URLs have the name of a database as their path. */
const hasDatabases = /^(?:postgres|postgresql|mysql|mariadb)$/

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value)
}

/** The declared ports, or else the one of the URL. */
function listPorts(declared: unknown, { port, protocol }: ExternalUrl): readonly PortItem[] {
  const ports = listOf(declared) as readonly PortItem[]
  return ports.length > 0 ? ports : [protocol === 'tcp' ? port : `${port}/${protocol}`]
}

/** The checks of a preset that fit, or else the one that the URL leads to. */
function listChecks(ofPreset: unknown, known: Known): readonly unknown[] {
  const fitted = listOf(ofPreset).filter((item) => isOfMain(item, known))
  if (fitted.length > 0) return fitted.map((item) => fitCheck(item, known))
  const check = findCheck(known)
  return check === undefined ? [] : [check]
}

/** Values of a preset's options, without those that nobody has named. */
function fitOptions({ preset, options }: PresetChoice, login: Login, { url }: External): OptionValues {
  const { user, database, password } = login
  const tls = isSecureScheme(url.scheme) || options.tls === true
  const values: Record<string, unknown> = { user, database, login: password !== undefined, tls }
  return new Map(
    [...defaultsOf(preset)].map(([name, value]) => [name, optionsOfUrl.has(name) ? values[name] : value] as const),
  )
}

/** The parts of a preset that say how its server is reached. Its commands and secrets are of its container. */
function withoutStart(preset: Preset): Preset {
  const { ports, ready, readyTimeout } = preset.server as Block
  return { ...preset, server: { ports, ready, readyTimeout } as Preset['server'] }
}

/** Leaves a variable out in the words of a preset: nobody has given this option. */
// biome-ignore lint/suspicious/noThenProperty: the word of presets
const ABSENT = { if: ' ', then: '' }

function fillExports(
  preset: Preset,
  values: OptionValues,
  known: Known,
  hasSecret: (name: string) => boolean,
): Record<string, unknown> {
  const adapt = (value: unknown, key: string): unknown => {
    if (typeof value === 'string')
      return key === 'if' || key === 'is' ? value : (fitExport(value, known, hasSecret) ?? ABSENT)
    return isBlock(value) ? adaptAll(value) : value
  }
  const adaptAll = (block: Block): Record<string, unknown> =>
    Object.fromEntries(Object.entries(block).map(([key, value]) => [key, adapt(value, key)]))
  const exported = adaptAll(blockOf((preset.server as Block).export))
  return blockOf(fillPreset({ ...preset, server: { export: exported } as Preset['server'] }, values).export)
}

/** Turns what the file declares for its container into what is true of the server that replaces it. */
function fitOwn(own: Block, known: Known): Block {
  const secrets = Object.entries(blockOf(own.secrets)).filter(([, secret]) => !isGenerated(secret))
  const hasSecret = (name: string): boolean => name === known.password || secrets.some(([one]) => one === name)
  const exports = Object.entries(blockOf(own.export)).flatMap(([name, template]): [string, unknown][] => {
    const fitted = typeof template === 'string' ? fitExport(template, known, hasSecret) : template
    return fitted === undefined ? [] : [[name, fitted]]
  })
  const ready = listOf(own.ready).filter((item) => !checksInside.has(readCheck(item)?.kind ?? ''))
  return {
    ...own,
    ...(isBlock(own.secrets) && { secrets: Object.fromEntries(secrets) }),
    ...(isBlock(own.export) && { export: Object.fromEntries(exports) }),
    ...(Array.isArray(own.ready) && { ready: ready.map((item) => fitCheck(item, known)) }),
  }
}

/**
 * A preset's check of another port is left out: the server behind the URL may have that port elsewhere. So is a page that
 * only the web servers of the catalogue have.
 */
function isOfMain(item: unknown, { main }: Known): boolean {
  const check = readCheck(item)
  const isPage = (check?.kind === 'http' || check?.kind === 'https') && /^(?:80|443)$/.test(String(check.port))
  return check !== undefined && check.port === main?.container && !checksInside.has(check.kind) && !isPage
}

function refuseOther(
  preset: string,
  spoken: readonly string[],
  { url }: External,
  refuse: (message: string) => void,
): void {
  const scheme = plainScheme(url.scheme)
  if (spoken.length === 0 || scheme === 'tcp' || scheme === 'udp' || spoken.includes(scheme)) return
  refuse(`\`${url.scheme}:\` does not fit the preset ${preset}, which speaks ${spoken.join(' and ')}`)
}

/** Name of the secret that a preset fills with its option `password`. */
function findPasswordSecret({ server }: Preset): string | undefined {
  const secrets = Object.entries(blockOf((server as Block).secrets))
  return secrets.find(([, value]) => JSON.stringify(value).includes('{"option":"password"}'))?.[0]
}

function isGenerated(secret: unknown): boolean {
  return isBlock(secret) && secret.generate !== undefined
}

function blockOf(value: unknown): Record<string, unknown> {
  return isBlock(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
