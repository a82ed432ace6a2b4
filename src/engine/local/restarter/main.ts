import { restartContainer } from '../containers/restart.ts'
import { chooseRuntime } from '../oci/runtime.ts'
import { rootMachine } from '../programs.ts'
import { openStore } from '../store.ts'

/**
 * The restarter: a container's monitor calls it after the end of a container that may be restarted. Its words are the
 * folder of the store and the container's id.
 */
const [, , folder, id] = process.argv
if (folder !== undefined && id !== undefined) {
  const local = { store: openStore(folder), machine: rootMachine, runtime: chooseRuntime }
  // Nobody listens: a failed start is in the container's record, and everything else is found by the next call.
  restartContainer(local, id).catch(() => {
    process.exitCode = 1
  })
}
