import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Instruction } from '../../../formats/dockerfile.ts'
import { findUser } from '../files/users.ts'
import { configure } from './configure.ts'
import { copyInto, digestSources, findSources, makeFolderIn } from './copy-step.ts'
import { addHeredocs, readHeredocs } from './copy-text.ts'
import { expandWord, type Lookup, splitWords } from './expand.ts'
import { hasLayer, type MountedRoot, makeLayer } from './layer.ts'
import type { Lines } from './lines.ts'
import { openFrom, openMounts } from './open-mounts.ts'
import { mistake, platformArgument, readArguments, readFlags, readList } from './read-stages.ts'
import { readMount, readRun, runStep } from './run-step.ts'
import type { StageContext, StageState } from './stage-context.ts'

/** Called once it is known whether a step is cached. */
export type Told = (isCached: boolean) => void

const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy']

/** Carries out one instruction of a stage. */
export async function carryOut(
  state: StageState,
  instruction: Instruction,
  build: StageContext,
  lines: Lines,
  tell: Told,
): Promise<StageState> {
  const { keyword, rest } = instruction
  const lookup = lookupIn(state)
  switch (keyword) {
    case 'ARG':
      return { ...state, args: new Map([...state.args, ...chosenArguments(rest, build, lookup)]) }
    case 'RUN':
      return run(state, instruction, build, lines, tell)
    case 'COPY':
    case 'ADD':
      return copy(state, instruction, build, tell)
    case 'WORKDIR': {
      const config = configure(state.config, instruction, lookup)
      const path = config.workingDir ?? '/'
      return addLayer({ ...state, config }, ['WORKDIR', path], build, tell, ({ root }) =>
        makeFolderIn(build.local.machine, root, path),
      )
    }
    default:
      return { ...state, config: configure(state.config, instruction, lookup) }
  }
}

function chosenArguments(rest: string, { args, globals }: StageContext, lookup: Lookup): [string, string][] {
  return readArguments(rest, lookup).flatMap(([name, value]): [string, string][] => {
    const chosen = args[name] ?? value ?? globals.get(name) ?? platformArgument(name)
    return chosen === undefined ? [] : [[name, chosen]]
  })
}

function variablesIn({ config }: StageState): ReadonlyMap<string, string> {
  return new Map(
    config.environment.map((text): [string, string] => {
      const equals = text.indexOf('=')
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
}

function lookupIn(state: StageState): Lookup {
  const variables = variablesIn(state)
  return (name) => variables.get(name) ?? state.args.get(name)
}

/** Adds the layer that `work` makes, unless it is there already. */
async function addLayer(
  state: StageState,
  what: readonly unknown[],
  { local, workshop, signal }: StageContext,
  tell: Told,
  work: (mounted: MountedRoot) => Promise<void>,
): Promise<StageState> {
  const id = createHash('sha256')
    .update(JSON.stringify([state.key, what]))
    .digest('hex')
  const isCached = await hasLayer(local, id)
  tell(isCached)
  if (!isCached) await makeLayer(local, workshop, state.layers, id, signal, work)
  return { ...state, layers: [...state.layers, id], key: id }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

async function run(
  state: StageState,
  { rest, line }: Instruction,
  build: StageContext,
  lines: Lines,
  tell: Told,
): Promise<StageState> {
  const { flags, rest: text } = readFlags(rest)
  const mounts = flags.flatMap(([name, value]) =>
    name === 'mount' ? [readMount(expandWord(value, lookupIn(state)), line)] : [],
  )
  const other = flags.find(([name, value]) => name !== 'mount' && !(name === 'network' && value === 'default'))
  if (other !== undefined) throw mistake(line, `RUN --${other[0]}=${other[1]} is not supported by the local engine`)
  const { config } = state
  const words = readRun(text, config.shell)
  const variables = { PATH, ...Object.fromEntries(state.args), ...Object.fromEntries(variablesIn(state)) }
  const proxies = Object.entries(build.args).filter(([name]) => PROXIES.includes(name.toLowerCase()))
  const opened = await openMounts(mounts, state, build, line)
  try {
    const what = ['RUN', words, variables, config.user ?? '', config.workingDir ?? '/', opened.digests]
    return await addLayer(state, what, build, tell, (mounted) =>
      runStep(build.local, mounted, {
        ...{ words, config, lines, signal: build.signal, mounts: opened.mounts },
        environment: { ...Object.fromEntries(proxies), ...variables },
      }),
    )
  } finally {
    await opened.close()
  }
}

const COPY_FLAGS = new Set(['from', 'chown', 'chmod', 'link', 'parents', 'exclude'])

async function copy(state: StageState, instruction: Instruction, build: StageContext, tell: Told): Promise<StageState> {
  const { keyword, line } = instruction
  const lookup = lookupIn(state)
  const { flags, rest } = readFlags(instruction.rest)
  const options = new Map(flags.map(([name, value]) => [name, expandWord(value, lookup)]))
  const unknown = [...options.keys()].find((name) => !COPY_FLAGS.has(name) || name === 'parents' || name === 'exclude')
  if (unknown !== undefined) throw mistake(line, `${keyword} --${unknown} is not supported by the local engine`)
  const heredocs = readHeredocs(rest, lookup)
  const paths = (readList(rest.trim()) ?? splitWords(rest.split('\n', 1)[0] ?? '')).map((word) =>
    expandWord(word, lookup),
  )
  const [to = '', ...sources] = paths.toReversed()
  if (sources.length === 0) throw mistake(line, `${keyword} needs a source and a target`)
  const url = sources.find((source) => /^(?:https?|git):\/\/|^git@/.test(source))
  if (url !== undefined)
    throw mistake(line, `${keyword} cannot load ${url} with the local engine: download it in a RUN`)
  const path = `${posix.resolve(state.config.workingDir ?? '/', to)}${/\/\.?$/.test(to) ? '/' : ''}`
  const plain = sources.toReversed().filter((source) => !source.startsWith('<<'))
  const from = await openFrom(options.get('from'), build, line)
  try {
    const digest = await digestSources(from.tree, findSources(from.tree, plain))
    const chown = options.get('chown')
    const chmod = options.get('chmod')
    if (chmod !== undefined && !/^[0-7]{3,4}$/.test(chmod)) throw mistake(line, `--chmod=${chmod} is no octal number`)
    const mode = chmod === undefined ? undefined : Number.parseInt(chmod, 8)
    const what = [keyword, digest, plain, path, chown ?? '', chmod ?? '', heredocs]
    return await addLayer(state, what, build, tell, async ({ root }) => {
      const owner = chown === undefined ? undefined : await findUser(root, withGroup(chown))
      const request = { from: from.tree, to: path, unpacks: keyword === 'ADD' && !options.has('from'), owner, mode }
      if (plain.length > 0) await copyInto(build.local.machine, root, { ...request, sources: plain }, build.signal)
      await addHeredocs(build.local.machine, root, heredocs, request)
    })
  } finally {
    await from.close()
  }
}

/** Without a group, the number of the user is that of the group, too. */
function withGroup(text: string): string {
  return /^\d+$/.test(text) ? `${text}:${text}` : text
}
