import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../run.ts'
import { hasTooNewSyntax, oldestNode } from './oldest-node.ts'

it('reads the oldest Node from package.json', () => {
  expect(oldestNode()).toBe('node22.18')
})

it.each([
  ['await using connection = open()', true],
  ['function read() { using file = open() }', true],
  [
    "import data from './data.json' with { type: 'json' }\nexport class A { static #b = data?.c ?? 1n; static { this.#b ||= 2 } }",
    false,
  ],
  ['export const pattern = /(?<year>a)|(?<year>b)/v', false],
])('syntax is recognized as too new for the oldest Node: %s: %s', (code, expected) => {
  expect(hasTooNewSyntax('file.js', code)).toBe(expected)
})

it.each(['tools/build/launcher.cjs', 'src/names/node-hook.cjs', 'src/names/command-guard.cjs'])(
  '%s, which is copied without compilation, has no syntax that is too new',
  async (file) => {
    expect(hasTooNewSyntax(file, await readFile(join(root, file), 'utf8'))).toBe(false)
  },
)
