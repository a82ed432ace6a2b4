import { afterAll, describe, expect, test } from 'vitest'
import { describeEngine } from '../../src/engine/conformance/describe-engine.ts'
import { makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'

const problem = await whyNoLocalEngine()
const store = problem === undefined ? await makeLocalStore() : undefined
afterAll(() => store?.remove())

if (store === undefined)
  describe('the local engine', () => test.skip(`cannot be tried here: ${problem}`, () => expect.unreachable()))
else describeEngine('the local engine', store.open, { image: 'debian:bookworm-slim', sharesLoopback: true })
