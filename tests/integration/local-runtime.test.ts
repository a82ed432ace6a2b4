import { describe, test } from 'vitest'
import { describeRuntime } from '../../src/runtime/conformance/describe-runtime.ts'
import { containersUnderTest } from '../support/containers-under-test.ts'
import { makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'

const problem = await whyNoLocalEngine()

if (problem !== undefined) describe('the local engine', () => test.skip(problem, () => {}))
else
  describeRuntime('containers of the local engine', async () => {
    const store = await makeLocalStore()
    const tested = containersUnderTest(await store.open())
    return {
      ...tested,
      async close() {
        await tested.close()
        await store.remove()
      },
    }
  })
