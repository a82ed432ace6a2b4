import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { say, speakAs, words } from './surface.ts'

const root = join(import.meta.dirname, '..')

beforeEach(() => speakAs('library'))
afterEach(() => speakAs('library'))

test('an option has the spelling of the surface: command or library', () => {
  expect(say('session', 'shop')).toBe("`session: 'shop'`")
  expect(say('startAgain')).toBe('Start it again, with `startFleet()` or with `up()` of a client.')
  speakAs('command')
  expect(say('session', 'shop')).toBe('--session shop')
  expect(say('startAgain')).toBe('Start it again with `testfleet up`.')
})

test('texts of the library do not mention the command line, nor texts of the command the library', () => {
  const all = (surface: keyof typeof words): string[] =>
    Object.values(words[surface]).map((word: (...given: string[]) => string) => word('one', 'two'))
  for (const word of all('library')) expect(word).not.toMatch(/(?:^|[\s`])--?[a-z]|testfleet /)
  for (const word of all('command')) expect(word).not.toMatch(/\w\(|: (?:true|'|\d)/)
})

/** Programs that testfleet starts, and requests to servers, have their own options; variables of a style sheet look like some. */
const ownOptions =
  /^(?:timeline\/(?:chart|page-script|page-style)|names\/(?:namespace|ignored-signals|outer-session)|images\/(?:install-packages|place-files|image-files)|model\/(?:host|surface|fleet-file)|audit\/.*|runtime\/processes\/(?:client|supervisor\/(?:guard|start-program))|engine\/local\/.*|integrations\/mocha)\.ts$/
/** Options of other programs, which hints name. */
const othersOptions = /--network host/g

const files = globSync('**/*.ts', { cwd: root }).filter(
  (file) => !/^(?:cli|presets)\/|\.test(?:-d)?\.ts$|\/conformance\//.test(file) && !ownOptions.test(file),
)

describe('no text of the core mentions an option or a command of testfleet', () => {
  test.each(files)('%s', (file) => {
    const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, '')
    const texts = [...code.matchAll(/'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g)].map(([text]) => text)
    const flags =
      /(?:^|[\s`'(])(?:--[a-z][\w-]*|-f\b)|testfleet (?:up|down|rm|run|start|stop|restart|kill|pause|resume|cp|port|ps|exec|logs|prune|join|build)\b/
    expect(texts.map((text) => text.replaceAll(othersOptions, '')).filter((text) => flags.test(text))).toEqual([])
  })
})
