import { beforeEach, expect, test } from 'vitest'
import { speakAs } from '../../model/surface.ts'
import { Testfleet } from '../testfleet.ts'

beforeEach(() => speakAs('library'))

const hour = 3_600_000

test.each([
  [0, '0.0 s'],
  [500, '0.5 s'],
  [24 * hour + 1000, '24 h 0 min'],
  [48 * hour, '48 h 0 min'],
])('copies that would be held for %i ms without use are refused, as in a fleet file', async (idleMs, words) => {
  const warming = new Testfleet({ folder: import.meta.dirname }).warm('no-such-file.yaml', { idleMs })
  await expect(warming).rejects.toMatchObject({
    code: 'USAGE',
    message: `\`idleMs\` takes a time from 1s to 24h, not ${words}`,
  })
})

test.each([1000, 24 * hour])('copies can be held for %i ms without use', async (idleMs) => {
  const warming = new Testfleet({ folder: import.meta.dirname }).warm('no-such-file.yaml', { idleMs })
  await expect(warming).rejects.toMatchObject({ code: 'FLEET_FILE_NOT_FOUND' })
})
