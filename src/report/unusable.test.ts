import { expect, test } from 'vitest'
import type { ServerReport } from '../model/running.ts'
import { describeUnusable } from './unusable.ts'

test('describeUnusable names the servers that are stopped or paused, and no others', () => {
  const inState = (state: ServerReport['state']) => ({ state, packages: {}, endpoints: {} }) as ServerReport
  const states = ['starting', 'ready', 'unready', 'completed', 'exited', 'paused'] as const
  const servers = Object.fromEntries(states.map((state) => [`is-${state}`, inState(state)]))
  expect(describeUnusable({ servers })).toEqual([
    'is-exited does not run, so the variables that name its address lead nowhere',
    'is-paused is paused and answers nothing',
  ])
})
