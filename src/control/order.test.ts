import { describe, expect, test } from 'vitest'
import { sortByDependency, workInOrder } from './order.ts'

const dependencies: Record<string, string[]> = { web: ['api', 'cache'], api: ['db'], cache: [], db: [] }
const of = (name: string): string[] => dependencies[name] ?? []

describe('sortByDependency', () => {
  test('puts each server after those of the list that it depends on', () => {
    expect(sortByDependency(['web', 'db', 'api', 'cache'], of)).toEqual(['db', 'api', 'cache', 'web'])
    expect(sortByDependency(['web', 'db'], of)).toEqual(['web', 'db'])
  })

  test('ends for servers that depend on each other', () => {
    const circle = (name: string): string[] => [name === 'a' ? 'b' : 'a']
    expect(sortByDependency(['a', 'b'], circle)).toHaveLength(2)
  })
})

describe('workInOrder', () => {
  test('begins the work on a server once all that it waits for is done', async () => {
    const log: string[] = []
    await workInOrder(['db', 'api', 'cache', 'web'], of, async (name) => {
      log.push(`+${name}`)
      await new Promise((resolve) => setTimeout(resolve, name === 'cache' ? 20 : 1))
      log.push(`-${name}`)
    })
    expect(log.slice(0, 2)).toEqual(['+db', '+cache'])
    expect(log.indexOf('+api')).toBeGreaterThan(log.indexOf('-db'))
    expect(log.slice(-2)).toEqual(['+web', '-web'])
    expect(log).toHaveLength(8)
  })

  test('leaves alone what waits for a server that failed, finishes the rest, and rejects with the failure', async () => {
    const done: string[] = []
    const failing = workInOrder(['db', 'api', 'cache', 'web'], of, async (name) => {
      if (name === 'db') throw new Error('no db')
      await new Promise((resolve) => setTimeout(resolve, 5))
      done.push(name)
    })
    await expect(failing).rejects.toThrow('no db')
    expect(done).toEqual(['cache'])
  })
})
