import { expect, test } from 'vitest'
import { refuseOldVitest } from './old-vitest.ts'

test('fixtures are refused in a Vitest that would leave them undefined', () => {
  expect(() => refuseOldVitest(test)).not.toThrow()
  const { override: _, ...old } = Object.assign(() => {}, { extend: () => {}, override: () => {} })
  expect(() => refuseOldVitest(old)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: expect.stringMatching(/^`fleetTest` needs Vitest 4\.1 or newer\nhint: Update Vitest, .*$/),
    }),
  )
})
