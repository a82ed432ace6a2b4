import { dirname } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { countLeftovers, mainFile, removeFleetFolders, withEngine } from '../support/command.ts'
import { askEngine } from '../support/raw-engine.ts'
import { makeFleet } from '../support/story-fleet.ts'

afterAll(removeFleetFolders)

/** Runs the built command in a container that has the engine's socket; resolves with its exit code and its output. */
async function runInside(folder: string, networkMode: string, script: string): Promise<[number, string]> {
  const socket = '/var/run/docker.sock'
  const binds = [`${process.execPath}:/usr/local/bin/node:ro`, `${dirname(dirname(mainFile))}:/opt/testfleet:ro`]
  const { Id: id } = (await askEngine('POST', '/containers/create', {
    Image: 'debian:bookworm-slim',
    Cmd: ['sh', '-c', script],
    WorkingDir: folder,
    HostConfig: { NetworkMode: networkMode, Binds: [...binds, `${socket}:${socket}`, `${folder}:${folder}:ro`] },
  })) as { Id: string }
  try {
    await askEngine('POST', `/containers/${id}/start`)
    const { StatusCode } = (await askEngine('POST', `/containers/${id}/wait`)) as { StatusCode: number }
    return [StatusCode, await readLog(id)]
  } finally {
    await askEngine('DELETE', `/containers/${id}?force=1`)
  }
}

function readLog(id: string): Promise<string> {
  return withEngine(async (engine) => {
    let text = ''
    for await (const { bytes } of engine.readLogs(id, { follow: false })) text += Buffer.from(bytes).toString()
    return text
  })
}

test("in a container with the engine's socket, `up` reports unreachable ports at once, and works with `--network host`", async () => {
  // The built command needs no other file.
  expect(mainFile, 'run `npm run build` first').toMatch(/\.cjs$/)
  const fleet = await makeFleet({
    web: { image: 'debian:bookworm-slim', command: ['sleep', '600'], ports: [80], ready: [{ exec: ['true'] }] },
    solo: { image: 'debian:bookworm-slim', command: ['sleep', '600'] },
  })
  const call = 'node /opt/testfleet/cli/testfleet.cjs'
  const [exitCode, output] = await runInside(fleet.folder, 'bridge', `${call} up`)
  expect(output).toMatch(/^error: testfleet runs in the container \S+, which cannot reach the ports of web: /m)
  expect(output).toContain('--network host')
  expect(exitCode).toBe(1)
  expect(await countLeftovers(fleet.name)).toBe(0)
  // Nothing of this one is reached from outside.
  const solo = `${call} run --quiet --names none --server solo -- ${call} exec solo -- echo inside`
  expect(await runInside(fleet.folder, 'bridge', solo)).toEqual([0, 'inside\n'])
  const [code, said] = await runInside(fleet.folder, 'host', `${call} up web && ${call} down`)
  expect([code, said]).toEqual([
    0,
    expect.stringMatching(/web +ready +127\.0\.0\.1:\d+→80\/tcp[\s\S]*removed 1 server/),
  ])
  expect(await countLeftovers(fleet.name)).toBe(0)
})
