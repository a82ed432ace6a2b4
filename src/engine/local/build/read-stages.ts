import { type Instruction, parseDockerfile } from '../../../formats/dockerfile.ts'
import { BuildFailure } from '../../../model/failures.ts'
import { ARCHITECTURE } from '../archives/image-json.ts'
import { expandWord, type Lookup, splitWords } from './expand.ts'

export interface Stage {
  readonly index: number
  readonly line: number
  /** In lower case, as names of stages are compared. */
  readonly name: string | undefined
  /** What it starts from, as a name or a stage. */
  readonly from: string | Stage
  readonly platform: string | undefined
  /** The whole line of its FROM. */
  readonly text: string
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  readonly stages: readonly Stage[]
  /** The stage that becomes the image. */
  readonly target: Stage
  /** Values of the ARG lines before the first FROM. */
  readonly globals: ReadonlyMap<string, string>
}

const KEYWORDS = new Set(
  (
    'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER RUN SHELL STOPSIGNAL USER VOLUME ' +
    'WORKDIR'
  ).split(' '),
)

/** Instructions that are steps of a build, as BuildKit counts them. */
export const COUNTED: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR'])

/**
 * Reads the stages of a Dockerfile. BUILD_FAILED with the line, for what no builder or not this one can do, before anything
 * is done.
 */
export function readDockerfile(
  text: string,
  { target, args }: { readonly target?: string | undefined; readonly args: Readonly<Record<string, string>> },
): Dockerfile {
  const globals = new Map<string, string>()
  const stages: (Stage & { readonly instructions: Instruction[] })[] = []
  const lookup: Lookup = (name) => globals.get(name) ?? args[name] ?? platformArguments[name]
  for (const instruction of parseDockerfile(text)) {
    checkKeyword(instruction)
    if (instruction.keyword === 'FROM') stages.push(readFrom(instruction, stages, lookup))
    else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction)
    else readGlobals(instruction, args, globals, lookup)
  }
  const found = target === undefined ? stages.at(-1) : findStage(target, stages)
  if (found !== undefined) return { stages, target: found, globals }
  const why = target === undefined ? 'the Dockerfile has no FROM' : `target stage "${target}" could not be found`
  throw mistake(undefined, why)
}

function checkKeyword({ line, keyword }: Instruction): void {
  if (keyword === 'ONBUILD') throw mistake(line, 'ONBUILD is not supported by the local engine')
  if (!KEYWORDS.has(keyword)) throw mistake(line, `unknown instruction: ${keyword}`)
}

/** Before the first FROM, there can only be arguments. */
function readGlobals(
  { line, keyword, rest }: Instruction,
  args: Readonly<Record<string, string>>,
  globals: Map<string, string>,
  lookup: Lookup,
): void {
  if (keyword !== 'ARG') throw mistake(line, `no build stage in current context: ${keyword} is before the first FROM`)
  for (const [name, value] of readArguments(rest, lookup)) {
    const chosen = args[name] ?? value
    if (chosen !== undefined) globals.set(name, chosen)
  }
}

const platformArguments: Readonly<Record<string, string>> = Object.fromEntries(
  ['TARGET', 'BUILD'].flatMap((kind) => [
    [`${kind}PLATFORM`, `linux/${ARCHITECTURE}`],
    [`${kind}OS`, 'linux'],
    [`${kind}ARCH`, ARCHITECTURE],
    [`${kind}VARIANT`, ''],
  ]),
)

/** Names and values of an ARG; a value is undefined when it has none. */
export function readArguments(rest: string, lookup: Lookup): readonly [name: string, value: string | undefined][] {
  return splitWords(rest).map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0) return [expandWord(word, lookup), undefined]
    return [expandWord(word.slice(0, equals), lookup), expandWord(word.slice(equals + 1), lookup)]
  })
}

/** Value of an argument that every stage can ask for. */
export function platformArgument(name: string): string | undefined {
  return platformArguments[name]
}

function readFrom({ line, rest }: Instruction, stages: readonly Stage[], lookup: Lookup) {
  const words = rest.split(/\s+/)
  const flags = words.filter((word) => word.startsWith('--'))
  const [written = '', as, name] = words.filter((word) => !word.startsWith('--'))
  const unknown = flags.find((flag) => !flag.startsWith('--platform='))
  if (unknown !== undefined) throw mistake(line, `unknown flag of FROM: ${unknown}`)
  const image = expandWord(written, lookup)
  if (image === '') throw mistake(line, `FROM has no image: ${JSON.stringify(written)} is empty`)
  return {
    ...{ index: stages.length, line, text: `FROM ${rest}`, instructions: [] as Instruction[] },
    name: as?.toLowerCase() === 'as' ? name?.toLowerCase() : undefined,
    from: findByName(image, stages) ?? image,
    platform: flags[0] === undefined ? undefined : expandWord(flags[0].slice('--platform='.length), lookup),
  }
}

/** Finds a stage by its name or its number. The last one of a name counts. */
export function findStage(text: string, stages: readonly Stage[]): Stage | undefined {
  return findByName(text, stages) ?? (/^\d+$/.test(text) ? stages[Number(text)] : undefined)
}

function findByName(text: string, stages: readonly Stage[]): Stage | undefined {
  return stages.findLast(({ name }) => name === text.toLowerCase())
}

/** Returns the failure for a line of a Dockerfile that cannot be carried out. */
export function mistake(line: number | undefined, why: string): BuildFailure {
  const where = line === undefined ? '' : `Dockerfile line ${line}: `
  return new BuildFailure(`${where}${why}`, undefined, '', {})
}

/** The options at the beginning of an instruction, such as `--from=x`, and what follows them. */
export function readFlags(rest: string): {
  readonly flags: readonly [name: string, value: string][]
  readonly rest: string
} {
  const flags: [string, string][] = []
  let text = rest
  for (;;) {
    const [whole, name = '', value = ''] = /^--([a-z][a-z-]*)(?:=(\S*))?\s+/.exec(text) ?? []
    if (whole === undefined) return { flags, rest: text }
    flags.push([name, value])
    text = text.slice(whole.length)
  }
}

/** The words of a list in JSON; undefined for a text in another form. */
export function readList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
