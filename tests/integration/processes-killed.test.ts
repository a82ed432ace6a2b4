import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { label } from '../../src/model/labels.ts'
import { openProcesses } from '../../src/runtime/processes/open-processes.ts'
import { findMarked, send } from '../../src/runtime/processes/process-table.ts'
import { SOON_MS } from '../support/command.ts'

const root = mkdtempSync(join(tmpdir(), 'processes-killed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const { supervisorFile, userId } = currentHost()
const caller = join(import.meta.dirname, '../fixtures/process-caller.ts')
const KILLS = 20

/** Who is killed together with the call: nobody, the supervisors, their programs, or all of them. */
const victims = ['nobody', 'supervisors', 'programs', 'all'] as const

test(`a call and its processes that are killed at ${KILLS} random moments leave nothing that the next call does not end`, {
  tags: ['wide'],
  timeout: 10 * 60_000,
}, async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const [trial, who] = [randomBytes(4).toString('hex'), victims[kill % victims.length]]
    const folder = join(root, trial)
    const child = spawn(process.execPath, [caller, folder, trial], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    await sleep(Math.random() * 800)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const runtime = openProcesses({ supervisorFile, userId, engine: 'unix:///none', folder }, {})
    const list = () => runtime.listServers({ [label.session]: trial })
    const servers = await list()
    const supervisors = servers.flatMap(({ id }) => findMarked(`TESTFLEET_SUPERVISOR=${id}`, userId))
    if (who === 'supervisors' || who === 'all') send(supervisors, 'SIGKILL')
    if (who === 'programs' || who === 'all') send(findMarked(`TRIAL=${trial}`, userId), 'SIGKILL')
    await Promise.all(servers.map((server) => runtime.removeServer(server)))
    const left = () => ({
      supervisors: servers.flatMap(({ id }) => findMarked(`TESTFLEET_SUPERVISOR=${id}`, userId)),
      programs: findMarked(`TRIAL=${trial}`, userId),
      folders: readdirSync(folder).filter((name) => name.startsWith('process-')),
    })
    await vi.waitFor(
      () => expect(left(), `${trial}, ${who} killed`).toEqual({ supervisors: [], programs: [], folders: [] }),
      {
        timeout: SOON_MS,
      },
    )
    expect(await list()).toEqual([])
  }
})
