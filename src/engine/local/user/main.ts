import { connectLocal } from '../connect.ts'
import { openStore } from '../store.ts'
import { serveEngine } from './serve-engine.ts'

/**
 * The process inside the namespaces of an ordinary user: it serves the local engine on its standard streams as long as its
 * input is open, and is root there.
 */

// A closing terminal and Ctrl-C are meant for its caller. When that ends, so does the input.
process
  .on('SIGHUP', () => {})
  .on('SIGINT', () => {})
  .on('SIGTERM', () => {})

const [, , folder = '', location = ''] = process.argv
const [{ findOwnHolder, endUnused }, { openForwards }] = await Promise.all([
  import('./namespaces.ts'),
  import('./way-out.ts'),
])
const store = openStore(folder)
const holder = await findOwnHolder(store)
if (holder !== undefined) {
  const engine = connectLocal(JSON.parse(location), { folder, forwards: openForwards(store) })
  await serveEngine(engine, process.stdin, process.stdout)
  engine.close()
  await endUnused(store, holder)
  process.exit(0)
}
process.stderr.write('the namespaces ended at the same moment\n')
process.exitCode = 1
