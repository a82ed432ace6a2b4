import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Audit, auditFleet } from '../../src/audit/audit.ts'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import type { Host } from '../../src/model/host.ts'

/** The audit of a fleet in this folder, with these files in it, the fleet file among them. */
export async function auditIn(folder: string, files: Readonly<Record<string, string>>): Promise<Audit> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const host: Host = {
    workingFolder: folder,
    homeFolder: folder,
    temporaryFolder: tmpdir(),
    environment: { GIVEN: 'a-password-from-outside', GIVEN_URL: 'tcp://127.0.0.1:80' },
    platform: 'linux',
    userId: 1000,
    groupId: 1000,
    processId: 1,
    parentProcessId: 0,
    keeperFile: '/keeper.js',
    lenderFile: '/lender.js',
    supervisorFile: '/supervisor.js',
    presetsFolder: currentHost().presetsFolder,
    nodeHookFile: '',
    commandGuardFile: '',
    owner: 'someone@here',
  }
  return auditFleet(await loadFleet({ kind: 'file', named: undefined }, host), host)
}
