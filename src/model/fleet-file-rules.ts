import { readDevice } from '../formats/device.ts'
import { readDurationMs } from '../formats/duration.ts'
import * as grammar from '../formats/grammar.ts'
import { IgnoreFileError, readIgnoreFile } from '../formats/ignore-file.ts'
import { isContainerPath, isHostPath } from '../formats/paths.ts'
import { readPortRange } from '../formats/port-range.ts'
import { findReservation } from '../formats/reserved-variables.ts'
import { readSizeBytes } from '../formats/size.ts'
import { readTimestampS } from '../formats/timestamp.ts'
import { certificateKinds } from './certificate.ts'
import { stopGrace } from './container.ts'

/**
 * What a value of the fleet file must satisfy beyond its type, as predicates without zod: the schema refers to them, and so
 * does the validator that the build generates from the schema (`tools/build/validator.ts`).
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern excludes control characters
const CONTROL_CHARACTER = /[\u0000-\u0008\u000a-\u001f\u007f]/

export function isSingleLine(text: string): boolean {
  return !CONTROL_CHARACTER.test(text)
}

export function isSize(text: string): boolean {
  return readSizeBytes(text) !== undefined
}

/** Docker refuses a lower limit. */
export const LEAST_MEMORY_BYTES = 6 * 1024 ** 2

export function isMemoryLimit(size: string): boolean {
  return (readSizeBytes(size) ?? 0) >= LEAST_MEMORY_BYTES
}

export function wordMemoryLimit(size: string): string {
  const unit = /^[1-9]\d*$/.test(size) ? `; a number without a unit is in bytes: write ${size}m for MiB` : ''
  return `must be at least 6m${unit}`
}

/** A longer timer would fire at once. */
const MOST_READY_MS = 24 * 24 * 3_600_000

export function isStopGrace(value: string | number): boolean {
  const ms = readDurationMs(String(value)) ?? Number(value) * 1000
  return ms >= stopGrace.shortestMs && ms <= stopGrace.longestMs
}

export function isDuration(value: string | number): boolean {
  const ms = readDurationMs(String(value)) ?? Number(value) * 1000
  return ms >= 1 && ms <= MOST_READY_MS
}

/** How long copies of a fleet are held while nobody takes one. */
export function isIdleTime(value: string | number): boolean {
  const ms = readDurationMs(String(value)) ?? Number(value) * 1000
  return ms >= 1000 && ms <= 24 * 3_600_000
}

/** A step or a list of lines that makes a server pristine. */
export function isStepTime(value: string | number): boolean {
  const ms = readDurationMs(String(value)) ?? Number(value) * 1000
  return ms >= 1 && ms <= stopGrace.longestMs
}

/** Returns whether a line of a console has a place for the mark that it prints. */
export function hasMark(line: string): boolean {
  return line.includes('${mark}')
}

export function isTimestamp(value: string | number): boolean {
  return readTimestampS(value) !== undefined
}

export function isIgnorePattern(pattern: string): boolean {
  return findPatternFault(pattern) === undefined
}

export function wordIgnorePattern(pattern: string): string {
  return findPatternFault(pattern) ?? ''
}

function findPatternFault(pattern: string): string | undefined {
  if (!isSingleLine(pattern) || pattern.trim() === '') return 'must be a pattern on one line'
  if (pattern.startsWith('#')) return 'is a comment; write `[#]` for the character itself'
  try {
    readIgnoreFile(pattern)
    return undefined
  } catch (error) {
    if (error instanceof IgnoreFileError) return error.why
    throw error
  }
}

export function isDevice(value: string): boolean {
  return readDevice(value) !== undefined
}

/** The restart policies of Compose with which a server still ends with its session. */
export function isRestart(value: string): boolean {
  return /^(?:no|on-failure(?::(?:[1-9]\d?|100))?)$/.test(value)
}

export function isPresetName(value: string): boolean {
  return grammar.NAME.test(value) || (/^\.\.?\//.test(value) && isHostPath(value))
}

/** `53/udp`, `30000-30009` or `30000-30009/udp`. A port alone is a number. */
export function isPortText(value: string): boolean {
  return /[-/]/.test(value) && readPortRange(value) !== undefined
}

export function isPortRange(value: string): boolean {
  return value.includes('-') && readPortRange(value) !== undefined && !value.includes('/')
}

/** A host range must be as long as the container's range. */
export function isAsLong({ container, host }: Block): boolean {
  if (host === undefined) return true
  const [ours, theirs] = [host, container].map((value) => readPortRange(value as string | number))
  return ours === undefined || theirs === undefined || ours.last - ours.first === theirs.last - theirs.first
}

/** Returns the port of `host:port`. */
export function hasValidPort(place: string): boolean {
  return isPort(Number(place.split(':')[1]))
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65535
}

/** Same pattern as zod's `ipv6`. */
export function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`)
}

export function isForeignLabel(key: string): boolean {
  return !key.startsWith('dev.testfleet.')
}

export function isExportable(name: string): boolean {
  return findReservation(name) === undefined
}

/** These headers control how the message is sent. Another value would break the request or address another page. */
const ownHeaders = [
  ...['connection', 'content-length', 'expect', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]

export function isFreeHeader(name: string): boolean {
  return !ownHeaders.includes(name.toLowerCase())
}

const MOST_HEADERS = 64

export function hasFewHeaders(headers: object): boolean {
  return Object.keys(headers).length <= MOST_HEADERS
}

export function hasHeadersOnce(headers: object): boolean {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  return new Set(names).size === names.length
}

export function hasServer(servers: object): boolean {
  return Object.keys(servers).length > 0
}

/** A URL of an external server can come from a variable, with a container for where that is not set. */
export function hasOneSource({ image, build, preset, process, external }: Block): boolean {
  if (process !== undefined) return [image, build, preset, external].every((one) => one === undefined)
  if (external !== undefined && image === undefined && build === undefined) return true
  return preset === undefined ? (image === undefined) !== (build === undefined) : image === undefined
}

/** That of a process is relative to the fleet file. */
export function hasOwnFolder({ workingDir, process }: Block): boolean {
  if (workingDir === undefined) return true
  return process === undefined ? isContainerPath(String(workingDir)) : isHostPath(String(workingDir))
}

export function hasOneField(block: object): boolean {
  return Object.values(block).filter((value) => value !== undefined).length === 1
}

/** A value that is none of the keywords is the path of a certificate file. */
export function hasKeyForCertificate({ certificate, key }: Block): boolean {
  return certificate === undefined || isCertificateKind(certificate) || key !== undefined
}

export function hasCertificateForKey({ certificate, key }: Block): boolean {
  return key === undefined || (certificate !== undefined && !isCertificateKind(certificate))
}

function isCertificateKind(value: unknown): boolean {
  return certificateKinds.some((kind) => kind === value)
}

type Block = Readonly<Record<string, unknown>>

/** A rule made from field names. It carries the call that makes it, for the generated validator. */
export interface FieldRule {
  (block: object): boolean
  readonly source: string
}

function makeRule(source: string, names: readonly string[], rule: (block: Block) => boolean): FieldRule {
  const call = `${source}(${names.map((name) => JSON.stringify(name)).join(', ')})`
  return Object.assign((block: object) => rule(block as Block), { source: call })
}

/** `field` requires `other`. */
export function goesWith(field: string, other: string): FieldRule {
  return makeRule('goesWith', [field, other], (block) => block[field] === undefined || block[other] !== undefined)
}

/** `field` excludes `other`. */
export function excludes(field: string, other: string): FieldRule {
  return makeRule('excludes', [field, other], (block) => block[field] === undefined || block[other] === undefined)
}

export function exactlyOneOf(...fields: readonly string[]): FieldRule {
  return makeRule('exactlyOneOf', fields, (block) => fields.filter((name) => block[name] !== undefined).length === 1)
}

export function bothOrNeither(field: string, other: string): FieldRule {
  return makeRule(
    'bothOrNeither',
    [field, other],
    (block) => (block[field] === undefined) === (block[other] === undefined),
  )
}

/** Returns whether a copy with `content` names a file as its target. */
export function namesFile({ content, to }: { readonly content?: unknown; readonly to: string }): boolean {
  return content === undefined || !to.endsWith('/')
}

export function namesProgram([program]: readonly unknown[]): boolean {
  return program !== ''
}
