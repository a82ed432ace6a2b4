import { describe, expect, test } from 'vitest'
import { fillHookEnvironment, formatHook, formatPreStop, type Hook, readPreStop } from './hook.ts'
import { label } from './labels.ts'

const hook: Hook = {
  command: ['sh', '-c', 'echo "$A"'],
  user: 'nobody',
  workingDir: undefined,
  environment: { A: { kind: 'secret', secret: 'S' }, B: { kind: 'text', text: 'b' } },
  timeoutMs: 1000,
}

describe('the commands before a stop', () => {
  test('are read from the label of a container exactly as written', () => {
    const labels = { [label.change]: '0a1b2c3d', [label.preStop]: formatPreStop([hook], '0a1b2c3d') }
    expect(readPreStop(labels)).toEqual([{ ...hook, workingDir: undefined }])
  })

  test('are empty if the label does not belong to the change of the container', () => {
    const foreign = formatPreStop([hook], 'ffffffff')
    expect(readPreStop({ [label.change]: '0a1b2c3d', [label.preStop]: foreign })).toEqual([])
    expect(readPreStop({ [label.preStop]: formatPreStop([hook], '') })).toEqual([])
    expect(readPreStop({ [label.change]: '0a1b2c3d' })).toEqual([])
  })
})

test.each([
  [['psql', '-f', '/seed.sql'], 'psql -f /seed.sql'],
  [['sh', '-c', 'echo "$A"'], `sh -c 'echo "$A"'`],
  [['a', '', "it's", 'x\ny'], `a "" "it's" "x\\ny"`],
])('%j is shown as %s', (command, shown) => {
  expect(formatHook({ command })).toBe(shown)
})

test('an unknown secret is empty', () => {
  expect(fillHookEnvironment(hook.environment, new Map([['S', 's']]))).toEqual({ A: 's', B: 'b' })
  expect(fillHookEnvironment(hook.environment, new Map())).toEqual({ A: '', B: 'b' })
})
