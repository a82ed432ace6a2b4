import { posix } from 'node:path'
import type { Instruction } from '../../../formats/dockerfile.ts'
import type { ImageConfig } from '../types.ts'
import { expandWord, type Lookup, splitWords } from './expand.ts'
import { mistake, readList } from './read-stages.ts'

/** An image without anything, as `FROM scratch` has it. */
export const emptyConfig: ImageConfig = { environment: [], labels: {}, volumes: [], exposed: [] }

/** Returns the configuration after an instruction that changes nothing else. Other instructions leave it as it is. */
export function configure(config: ImageConfig, instruction: Instruction, lookup: Lookup): ImageConfig {
  const { keyword, rest, line } = instruction
  const expand = (text: string): string => expandWord(text, lookup)
  switch (keyword) {
    case 'ENV':
      return { ...config, environment: setVariables(config.environment, readPairs(instruction, lookup)) }
    case 'LABEL':
      return { ...config, labels: { ...config.labels, ...Object.fromEntries(readPairs(instruction, lookup)) } }
    case 'USER':
      return { ...config, user: expand(rest) }
    case 'WORKDIR':
      return { ...config, workingDir: posix.resolve(config.workingDir ?? '/', expand(rest)) }
    case 'CMD':
      return { ...config, command: readCommand(config, rest) }
    case 'ENTRYPOINT': {
      const { command: _, ...others } = config
      return { ...others, entrypoint: readCommand(config, rest) }
    }
    case 'SHELL': {
      const shell = readList(rest)
      if (shell === undefined || shell.length === 0) throw mistake(line, 'SHELL needs a list in JSON')
      return { ...config, shell }
    }
    case 'STOPSIGNAL':
      return { ...config, stopSignal: expand(rest) }
    case 'VOLUME':
      return { ...config, volumes: union(config.volumes, (readList(rest) ?? splitWords(rest)).map(expand)) }
    case 'EXPOSE': {
      const ports = splitWords(rest).map(expand)
      return {
        ...config,
        exposed: union(
          config.exposed,
          ports.map((port) => (port.includes('/') ? port : `${port}/tcp`)),
        ),
      }
    }
    default:
      return config
  }
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])]
}

/** A list, or a text for the shell. */
function readCommand({ shell = ['/bin/sh', '-c'] }: ImageConfig, rest: string): readonly string[] {
  return readList(rest) ?? [...shell, rest]
}

/** Names and values of ENV or LABEL: `NAME=value …`, or the old `NAME a value`. */
function readPairs({ keyword, rest, line }: Instruction, lookup: Lookup): readonly [string, string][] {
  const [, name, value] = /^([^\s=]+)\s+(.+)$/s.exec(rest) ?? []
  if (name !== undefined && value !== undefined) return [[expandWord(name, lookup), expandWord(value, lookup)]]
  return splitWords(rest).map((word) => {
    const equals = findEquals(word)
    if (equals < 1) throw mistake(line, `${keyword} has a name without a value: ${word}`)
    return [expandWord(word.slice(0, equals), lookup), expandWord(word.slice(equals + 1), lookup)]
  })
}

/** A quoted name may have a sign of equality. */
function findEquals(word: string): number {
  const [quoted = ''] = /^(?:"(?:[^"\\]|\\.)*"|'[^']*')/s.exec(word) ?? []
  return word.indexOf('=', quoted.length)
}

function setVariables(environment: readonly string[], pairs: readonly [string, string][]): readonly string[] {
  const variables = new Map(environment.map((text) => [nameIn(text), text]))
  for (const [name, value] of pairs) variables.set(name, `${name}=${value}`)
  return [...variables.values()]
}

function nameIn(text: string): string {
  return text.split('=', 1)[0] ?? ''
}
