import { dirname, join } from 'node:path'
import { currentHost } from '../../src/current-host.ts'
import { connectLender } from '../../src/lender/client.ts'
import { ownHolder } from '../../src/sessions/keeper/client.ts'
import type { Offer } from '../../src/standby/protocol.ts'
import { programOf, standbySocket } from '../../src/standby/socket.ts'
import { mainFile, SOON_MS } from './command.ts'
import type { TestFleet } from './test-fleet.ts'

/** Asks the lender of a fleet for a copy, without a start if it is out of date. */
export async function takeFrom({ folder }: TestFleet): Promise<unknown> {
  const lenderFile = join(dirname(mainFile), '../lender', mainFile.endsWith('.cjs') ? 'main.js' : 'main.ts')
  const host = { ...currentHost(folder), temporaryFolder: join(folder, 'tmp'), lenderFile }
  const path = join(folder, 'testfleet.yaml')
  const client = await connectLender(standbySocket({ kind: 'file', path, realPath: path }, host))
  if (client === undefined) throw new Error('no lender')
  const opened = await client.ask({ do: 'open', program: programOf(host) }, { timeoutMs: SOON_MS })
  const { variables } = opened.offer as Offer
  const environment = Object.fromEntries(variables.map((name) => [name, host.environment[name]]))
  const own = { TMPDIR: host.temporaryFolder, TESTFLEET_STATE_DIR: join(folder, 'state') }
  const holder = ownHolder(process.pid)
  const taken = await client.ask(
    { do: 'take', environment: { ...environment, ...own }, holder },
    { timeoutMs: SOON_MS },
  )
  client.close()
  return taken
}
