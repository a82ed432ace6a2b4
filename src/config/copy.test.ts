import { expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import { type CopyItem, imageOf } from '../model/fleet.ts'

const fleet = (item: string): string => `servers:\n  web:\n    build:\n      copy:\n        - { content: x, ${item} }\n`

async function readCopy(item: string): Promise<CopyItem | undefined> {
  const image = imageOf((await loadText(fleet(item))).servers.get('web'))
  return image?.kind === 'built' && image.recipe.kind === 'steps' ? image.recipe.steps.copy[0] : undefined
}

test.each([
  ['to: /x', undefined],
  ['to: /x, mtime: 0', 0],
  ['to: /x, mtime: 1700000000', 1_700_000_000],
  ['to: /x, mtime: 2024-02-29', 1_709_164_800],
  ['to: /x, mtime: "2024-02-29T12:34:56Z"', 1_709_210_096],
])('`mtime` sets the time of copied files: %s', async (item, modifiedAtS) => {
  expect((await readCopy(item))?.modifiedAtS).toBe(modifiedAtS)
})

const seconds = 'must be whole seconds since 1970, up to the year 2242'
const time = 'must be a valid time from 1970 to 2242'
test.each([
  ['to: /x/', '5:29 servers.web.build.copy[0].to: must name the file that `content` becomes, not a folder'],
  ['to: /', '5:29 servers.web.build.copy[0].to: must name the file that `content` becomes, not a folder'],
  ['to: /x, mtime: -1', `5:40 servers.web.build.copy[0].mtime: ${seconds}`],
  ['to: /x, mtime: 8589934592', `5:40 servers.web.build.copy[0].mtime: ${seconds}`],
  ['to: /x, mtime: 2023-02-29', `5:40 servers.web.build.copy[0].mtime: ${time}`],
  ['to: /x, mtime: 2242-03-17', `5:40 servers.web.build.copy[0].mtime: ${time}`],
  [
    'to: /x, mtime: yesterday',
    '5:40 servers.web.build.copy[0].mtime: must be a time such as 2024-01-31 or 2024-01-31T12:00:00Z',
  ],
  ['to: /x, mtime: true', '5:40 servers.web.build.copy[0].mtime: must be a number or text'],
])('an invalid copy is reported: %s', async (item, message) => {
  const mistakes = await mistakesIn(fleet(item))
  expect(mistakes.map((mistake) => mistake.replace(/, not .*$/, ''))).toEqual([message.replace(/, not .*$/, '')])
})

test.each([
  ['ignore: [a]', '4:32 servers.web.build.copy[0].ignore: `ignore` goes with `from`'],
  ['ignore: a', '4:32 servers.web.build.copy[0].ignore: must be a list, not "a"'],
  ['ignore: [a, "b[", "d[0-9]"]', '4:36 servers.web.build.copy[0].ignore[1]: has a `[` without a `]`'],
  ['ignore: ["#x"]', '4:33 servers.web.build.copy[0].ignore[0]: is a comment; write `[#]` for the character itself'],
  ['ignore: [" "]', '4:33 servers.web.build.copy[0].ignore[0]: must be a pattern on one line'],
  ['ignore: ["a\\nb"]', '4:33 servers.web.build.copy[0].ignore[0]: must be a pattern on one line'],
  ['ignore: [1]', '4:33 servers.web.build.copy[0].ignore[0]: must be text, not 1'],
])('an invalid `ignore` is reported: %s', async (item, message) => {
  const source = item === 'ignore: [a]' ? 'content: x' : 'from: folder'
  const [mistake] = await mistakesIn(`servers:\n  web:\n    build:\n      copy: [{ to: /x, ${item}, ${source} }]\n`)
  expect(mistake).toContain(message)
})

test.each(['*.sock', '!keep', '**/node_modules', '[#]x', 'd[0-9]'])(
  'a pattern of `ignore` is accepted: %s',
  async (pattern) => {
    // The folder is missing, and nothing else is wrong.
    const [mistake, ...more] = await mistakesIn(
      `servers:\n  web:\n    build:\n      copy: [{ from: folder, to: /x, ignore: ["${pattern}"] }]\n`,
    )
    expect([mistake, ...more]).toEqual([expect.stringContaining('there is no folder folder')])
  },
)
