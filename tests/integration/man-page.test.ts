import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { formatManPage } from '../../tools/build/man-page.ts'

test('mandoc reads the manual page without a warning', () => {
  const input = formatManPage(new Date())
  // It exits with 0 when it finds nothing of this level or worse.
  expect(execFileSync('mandoc', ['-T', 'lint', '-W', 'warning'], { input, encoding: 'utf8' })).toBe('')
  const shown = execFileSync('mandoc', ['-T', 'ascii'], { input, encoding: 'utf8' }).replaceAll(/.[\b]/g, '')
  expect(shown).toMatch(/^ {5,}testfleet up \[SERVER\.\.\.\]$/m)
  expect(shown).toContain('--no-color')
})
