import { currentHost } from '../../src/current-host.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { describeRuntime } from '../../src/runtime/conformance/describe-runtime.ts'
import { containersUnderTest } from '../support/containers-under-test.ts'

describeRuntime("containers of the machine's engine", async () =>
  containersUnderTest(await openEngine(undefined, currentHost())),
)
