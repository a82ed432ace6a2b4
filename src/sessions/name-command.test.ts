import { expect, test } from 'vitest'
import { nameCommand } from './name-command.ts'

test.each([
  ['vitest run', ['/usr/bin/node', '/home/me/shop/node_modules/vitest/vitest.mjs', 'run']],
  [
    'vitest',
    ['node', '--enable-source-maps', '/a/node_modules/.pnpm/vitest@5/node_modules/vitest/dist/workers/forks.js'],
  ],
  ['@playwright/test test', ['node', '/a/node_modules/@playwright/test/cli.js', 'test']],
  ['jest a.test.js', ['node', '--import', '/a/hook.mjs', '-r', 'x', '/a/node_modules/.bin/jest', '/a/b/a.test.js']],
  [
    'testfleet join -- pytest',
    ['/opt/node24/bin/node', '/usr/lib/testfleet/dist/cli/testfleet.cjs', 'join', '--', 'pytest'],
  ],
  ['testfleet up', ['testfleet', 'up']],
  ['pytest -n 4', ['/home/me/venv/bin/python3.11', '/home/me/venv/bin/pytest', '-n', '4']],
  ['python3 -m pytest', ['/usr/bin/python3', '-m', 'pytest']],
  ['node -e 1', ['/usr/bin/node', '-e', '1']],
  ['node', ['/usr/bin/node']],
  ['node --test', ['/usr/bin/node', '--test']],
  ['node --test tests/db.test.ts', ['/opt/bin/node', '--test', 'tests/db.test.ts']],
  ['node (vitest 1)', ['node (vitest 1)']],
  ['', []],
])('a command is named as a person would recognise it: %s', (name, words) => {
  expect(nameCommand(words)).toBe(name)
  if (name !== '') expect(nameCommand(words, '/home/me/shop')).toBe(`${name}, in /home/me/shop`)
})

test('long commands and folders are cut', () => {
  const folder = `/var/lib/jenkins/workspace/${'x'.repeat(40)}/web`
  expect(nameCommand(['make', 'a'.repeat(1000)], folder)).toBe(
    `make ${'a'.repeat(75)}…, in …/${`${'x'.repeat(40)}/web`.slice(-40)}`,
  )
  expect(nameCommand(['make'], '/var/lib/jenkins/workspace/testfleet/main')).toBe('make, in …/testfleet/main')
})
