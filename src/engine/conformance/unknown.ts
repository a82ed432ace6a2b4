import { describe, expect, test } from 'vitest'
import type { Engine } from '../engine.ts'
import { type Harness, pack, readOutput } from './harness.ts'

const nobody = 'conformance-nobody'

const verbs: Record<string, (engine: Engine) => Promise<unknown>> = {
  inspectContainer: (engine) => engine.inspectContainer(nobody),
  startContainer: (engine) => engine.startContainer(nobody),
  stopContainer: (engine) => engine.stopContainer(nobody, 0),
  waitContainer: (engine) => engine.waitContainer(nobody),
  readLogs: (engine) => readOutput(engine.readLogs(nobody, { follow: true })),
  exec: (engine) => engine.exec(nobody, { command: ['true'] }),
  putArchive: async (engine) => engine.putArchive(nobody, '/', await pack({ a: 'b' })),
  getArchive: (engine) => engine.getArchive(nobody, '/etc', 1000),
}

const gone: Record<string, (engine: Engine) => Promise<unknown>> = {
  removeContainer: (engine) => engine.removeContainer(nobody),
  removeNetwork: (engine) => engine.removeNetwork(nobody),
  removeVolume: (engine) => engine.removeVolume(nobody),
  removeImage: (engine) => engine.removeImage(`${nobody}:1`),
}

export function describeUnknown(open: () => Harness): void {
  describe('an unknown object', () => {
    test.each(Object.keys(verbs))('makes %s fail with NOT_FOUND', async (verb) => {
      const failure = { code: 'NOT_FOUND', message: expect.stringContaining(nobody) }
      await expect(verbs[verb]?.(open().engine)).rejects.toMatchObject(failure)
    })

    test.each(Object.keys(gone))('counts as removed for %s, which succeeds', async (verb) => {
      await gone[verb]?.(open().engine)
    })
  })
}
