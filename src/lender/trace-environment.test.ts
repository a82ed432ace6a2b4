import { expect, test } from 'vitest'
import { traceEnvironment } from './trace-environment.ts'

test('names the variables that were read, set or not, in whatever way', () => {
  const { environment, names } = traceEnvironment({ A: '1', B: '2', C: '3', D: '4' })
  expect(environment.A).toBe('1')
  expect(environment.MISSING).toBeUndefined()
  expect('B' in environment).toBe(true)
  expect(Object.hasOwn(environment, 'C')).toBe(true)
  expect([...names].toSorted()).toEqual(['A', 'B', 'C', 'MISSING'])
  expect({ ...environment }).toEqual({ A: '1', B: '2', C: '3', D: '4' })
  expect(names.has('D')).toBe(true)
})

test('what is read of a traced environment is read of both, and nothing else', () => {
  const outer = traceEnvironment({ A: '1', B: '2' })
  const inner = traceEnvironment(outer.environment)
  expect(inner.environment.A).toBe('1')
  expect([...inner.names]).toEqual(['A'])
  expect([...outer.names]).toEqual(['A'])
})
