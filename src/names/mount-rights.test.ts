import { expect, test } from 'vitest'
import { readRights } from './mount-rights.ts'

const status = (effective: string, bounding: string, ambient = '0000000000000000') =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${effective}\nCapEff:\t${effective}\nCapBnd:\t${bounding}\nCapAmb:\t${ambient}\n`
const all = '000001ffffffffff'
const none = '0000000000000000'

test.each([
  ['an ordinary user', status(none, all), 1000, { kind: 'user', missing: [] }],
  ['root', status(all, all), 0, { kind: 'root', missing: [] }],
  [
    'a user who can never have CAP_SYS_RESOURCE',
    status(none, '000001fffeffffff'),
    1000,
    { kind: 'user', missing: [24] },
  ],
  // Capabilities of Node's program file are not passed on.
  ['a user whose Node may bind low ports', status('0000000000000400', all), 1000, { kind: 'user', missing: [] }],
  ['a user with an ambient capability', status(none, all, '0000000000000400'), 1000, { kind: 'mixed' }],
  ['root in a container', status('00000000a80425fb', '00000000a80425fb'), 0, { kind: 'mixed' }],
  ['an unknown system', '', 0, { kind: 'mixed' }],
])('the rights of a process are those of %s', (_, text, userId, rights) => {
  expect(readRights(text, userId, 40)).toEqual(rights)
})
