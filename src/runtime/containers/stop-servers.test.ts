import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { ContainerState } from '../../model/container.ts'
import { type Labels, label } from '../../model/labels.ts'
import { graceOf } from '../runtime.ts'
import { openContainers } from './open-containers.ts'

const signal = { [label.stopSignal]: 'SIGTERM' }
const grace = (ms: unknown): Labels => ({ [label.stopGrace]: String(ms) })

describe('the grace period of a server', () => {
  test.each([
    ['0 without a stop signal and a grace period', {}, 0],
    ['10 s with a stop signal', signal, 10_000],
    ['the value in its fleet file', { ...signal, ...grace(1500) }, 1500],
    ["the same with its image's stop signal", grace(30_000), 30_000],
    ['never above the maximum, whatever the label of an image says', grace(1e12), 600_000],
    ['10 s when the label of an image is not a number', { ...signal, ...grace('soon') }, 10_000],
  ])('is %s', (_, labels, ms) => {
    expect(graceOf({ labels })).toBe(ms)
  })
})

describe('a server', () => {
  /** An engine whose container takes this long to stop, and then has this exit code. */
  function stopIn(takesMs: number, exitCode: number) {
    const calls: string[] = []
    const killed: string[] = []
    const engine = {
      async stopContainer(_id: string, graceMs: number) {
        calls.push(`stop within ${graceMs}`)
        await sleep(takesMs)
      },
      async removeContainer() {
        calls.push('remove')
      },
      inspectContainer: async () => ({ exitCode }),
    } as unknown as Engine
    const runtime = openContainers(engine, {
      onKilled: ({ id }, graceMs) => killed.push(`${id} after ${graceMs}`),
    })
    const server = (labels: Labels, state: ContainerState = 'running') => ({ id: 'a', labels, state })
    return { runtime, server, calls, killed }
  }

  test.each(['stopServer', 'removeServer'] as const)(
    'that is killed at the end of its grace period is reported by %s',
    async (verb) => {
      const { runtime, server, calls, killed } = stopIn(25, 137)
      await runtime[verb](server(grace(20)))
      expect(calls).toEqual(verb === 'stopServer' ? ['stop within 20'] : ['stop within 20', 'remove'])
      expect(killed).toEqual(['a after 20'])
    },
  )

  test.each([
    ['that obeys in time', 0, 137, grace(60_000)],
    ['that ends by itself at the last moment', 25, 0, grace(20)],
    ['that has no grace period', 0, 137, {}],
  ])('%s is not reported as killed', async (_, takesMs, exitCode, labels) => {
    const { runtime, server, killed } = stopIn(takesMs, exitCode)
    await runtime.stopServer(server(labels))
    expect(killed).toEqual([])
  })

  test('that does not run is removed without being stopped', async () => {
    const { runtime, server, calls } = stopIn(0, 0)
    await runtime.removeServer(server(signal, 'exited'))
    await runtime.removeServer(server({}))
    expect(calls).toEqual(['remove', 'remove'])
  })
})
