import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { parseCall } from './cli/parse-call.ts'
import { fleetJsonSchema } from './config/json-schema.ts'
import { loadFleet } from './config/load-fleet.ts'
import { parseYaml } from './config/read-yaml.ts'
import { currentHost } from './current-host.ts'
import { isFailure } from './model/failures.ts'
import { presetFileSchema } from './model/preset-file.ts'

const root = join(import.meta.dirname, '..')

const pages: string[] = []
for await (const page of glob(['README.md', 'CONTRIBUTING.md', '{docs,examples/*,src/presets/*}/*.md'], { cwd: root }))
  pages.push(page)

interface Block {
  readonly language: string
  readonly text: string
}

async function readPage(page: string): Promise<{ readonly prose: string; readonly blocks: readonly Block[] }> {
  const text = await readFile(join(root, page), 'utf8')
  const found = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
  const blocks = found.map(([, language = '', content = '']) => ({ language, text: content }))
  return { prose: text.replace(/^```[\s\S]*?^```$/gm, ''), blocks }
}

describe('every call of testfleet on a page is accepted by the command', () => {
  test.each(pages)('%s', async (page) => {
    const { prose, blocks } = await readPage(page)
    const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
    const shown = blocks.flatMap(({ language, text }) => linesOfCommands(language, text))
    const calls = [...inline, ...shown].flatMap(callsIn)
    expect(calls.flatMap((words) => whyRefused(words))).toEqual([])
  })
})

/** The lines that a reader types: all of a script, those after the prompt of a console, the steps of a workflow. */
function linesOfCommands(language: string, text: string): string[] {
  const lines = text.split('\n')
  if (language === 'sh') return lines
  if (language === 'console') return lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2))
  return language === 'yaml' ? lines.filter((line) => /^ *(?:- (?:run: )?|run: )?testfleet /.test(line)) : []
}

/** The words of each call of testfleet in a line of shell text; a call with a word that stands for many is none. */
function callsIn(line: string): string[][] {
  const words = (line.match(/"[^"]*"|'[^']*'|[|;&<>]+|#.*$|[^\s|;&<>"']+(?:"[^"]*"|'[^']*')?/g) ?? []).map(unquote)
  return words.flatMap((word, index) => {
    if (!/(?:^|\/|\$\()testfleet$/.test(word)) return []
    const rest = words.slice(index + 1)
    const end = rest.findIndex((next) => /^(?:[|;&<>]+|#.*)$/.test(next))
    const call = (end === -1 ? rest : rest.slice(0, end)).map((next) => next.replace(/\)$/, ''))
    return call.some((next) => /^(?:COMMAND|…)$|[[\]]/.test(next)) ? [] : [call]
  })
}

const unquote = (word: string): string => word.replace(/^(["'])(.*)\1$/s, '$2')

function whyRefused(words: readonly string[]): string[] {
  try {
    parseCall(words)
    return []
  } catch (error) {
    // A page can name a command without what it needs: "`testfleet exec` runs a command inside a server".
    const isName = words.length === 1 && /is missing/.test(String(error))
    return isName ? [] : [`testfleet ${words.join(' ')}: ${error}`]
  }
}

describe('every fleet on a page is valid, or the page shows its mistakes', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'testfleet-pages-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(pages)('%s', async (page) => {
    const { blocks } = await readPage(page)
    for (const [index, { language, text }] of blocks.entries()) {
      if (language !== 'yaml') continue
      const isWrong = /has (?:a mistake|\d+ mistakes)/.test(blocks[index + 1]?.text ?? '')
      const mistakes = await mistakesIn(text, join(folder, 'testfleet.yaml'))
      if (isWrong) expect(mistakes, text).not.toEqual([])
      else expect(mistakes, text).toEqual([])
    }
  })
})

const isOf = (value: object, ...keys: readonly string[]): boolean => keys.some((key) => Object.hasOwn(value, key))

/** Of a fleet that is shown in part, other servers are missing, too. */
const missingFile = /there is no (?:file|folder|preset)/
const missingFileOrServer = /there is no (?:file|folder|preset|server)/

/** The mistakes of a whole fleet, of some servers, or of some keys of one server. Other documents have none. */
async function mistakesIn(text: string, file: string): Promise<string[]> {
  const value = parseYaml(text, 'page').value
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isOf(value, 'jobs')) return []
  if (isOf(value, 'server')) {
    const { success, error } = presetFileSchema.safeParse(value)
    return success ? [] : [error.message]
  }
  await writeFile(file, asFleet(text, value))
  const host = { ...currentHost(), workingFolder: join(file, '..') }
  try {
    await loadFleet({ kind: 'file', named: file }, host)
    return []
  } catch (error) {
    if (!isFailure(error, 'FLEET_FILE_INVALID')) throw error
    // A page names files that only its reader has.
    const expected = isOf(value, 'servers') ? missingFile : missingFileOrServer
    const mistakes = error.mistakes.filter(({ message }) => !expected.test(message))
    return mistakes.map(({ message }) => message)
  }
}

function asFleet(text: string, value: object): string {
  if (isOf(value, 'servers')) return text
  const indent = (by: string) => text.replace(/^(?=.)/gm, by)
  const isServers = Object.values(value).every(
    (part) => typeof part === 'object' && isOf(part, 'image', 'build', 'preset'),
  )
  if (isServers) return `servers:\n${indent('  ')}`
  const start = isOf(value, 'image', 'build', 'preset') ? '' : '    image: debian\n    command: [sleep, infinity]\n'
  return `servers:\n  server:\n${start}${indent('    ')}`
}

test('every key with a value on a page is a key of the fleet file, of a preset, or of Compose', async () => {
  const known = new Set([...keysOf(fleetJsonSchema()), ...(await keysOfPresets()), ...foreign])
  const unknown = await Promise.all(
    pages.map(async (page) => {
      const { prose } = await readPage(page)
      const keys = [...prose.matchAll(/`(?:\{ )?([a-z][A-Za-z]+): [^`\n]+`/g)].map(([, key = '']) => key)
      return keys.filter((key) => !known.has(key)).map((key) => `${page}: ${key}`)
    }),
  )
  expect(unknown.flat()).toEqual([])
})

/** An option of the library, and the beginnings of messages. */
const foreign = ['insecureEngine', 'warning', 'left']

function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties = {}, ...rest } = schema as { properties?: object }
  return [...Object.keys(properties), ...[...Object.values(properties), ...Object.values(rest)].flatMap(keysOf)]
}

async function keysOfPresets(): Promise<string[]> {
  const keys = [
    'option',
    'if',
    'is',
    ...keysOf(z.toJSONSchema(presetFileSchema, { io: 'input', unrepresentable: 'any' })),
  ]
  for await (const file of glob('src/presets/*/preset.yaml', { cwd: root })) {
    const { options } = parseYaml(await readFile(join(root, file), 'utf8'), file).value as { options?: object }
    keys.push(...Object.keys(options ?? {}))
  }
  return keys
}
