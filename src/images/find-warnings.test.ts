import { expect, test } from 'vitest'
import type { BuildSteps, ImageRecipe } from '../model/fleet.ts'
import type { PreparedBuild } from '../model/plan.ts'
import { findWarnings } from './find-warnings.ts'

function warningsOf(
  steps: Partial<BuildSteps>,
  { leftOut = [], at = ['servers', 'ldap', 'build'] }: { leftOut?: string[]; at?: string[] } = {},
): string[] {
  const recipe = { kind: 'steps', at, steps: { packages: [], run: [], ...steps } } as unknown as ImageRecipe
  return findWarnings({ build: { recipe, leftOut } as unknown as PreparedBuild, servers: ['ldap'] })
}

const answer = 'echo "slapd slapd/domain string x" | debconf-set-selections'
const late =
  'ldap: `run` comes after `packages`, so debconf-set-selections has no effect on them; move it to `base.run`'

test('debconf answers after the installation of the packages cause a warning', () => {
  expect(warningsOf({ packages: ['slapd'], run: [answer] })).toEqual([late])
  expect(warningsOf({ packages: ['slapd'], run: ['apt-get update', answer, 'true'] })).toEqual([late])
  expect(warningsOf({ packages: ['slapd'], run: [answer] }, { at: ['base'] })).toEqual([
    expect.stringMatching(/no effect on the packages of the base$/),
  ])
})

test.each([
  [['slapd'], []],
  [[], [answer]],
  [['debconf'], [answer, 'dpkg-reconfigure -f noninteractive slapd']],
  [['debconf'], [`${answer} && apt-get install --yes slapd`]],
])('debconf answers before the installation cause no warning: packages %j, run %j', (packages, run) => {
  expect(warningsOf({ packages, run })).toEqual([])
})

test('members that were left out of copied folders are reported, the first five by name', () => {
  const leftOut = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const words = 'ldap: not copied, as no image can have sockets, pipes and devices'
  expect(warningsOf({}, { leftOut: ['run/app.sock'] })).toEqual([`${words}: run/app.sock`])
  expect(warningsOf({}, { leftOut })).toEqual([`${words}: a, b, c, d, e and 2 more`])
})
