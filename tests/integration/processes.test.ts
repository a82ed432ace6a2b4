import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { readOutput, readUntil } from '../../src/engine/conformance/harness.ts'
import { type ContainerSpec, plainContainer } from '../../src/model/container.ts'
import { label } from '../../src/model/labels.ts'
import type { NamedServer } from '../../src/model/running.ts'
import { describeProcesses } from '../../src/runtime/conformance/describe-runtime.ts'
import { LogWriter } from '../../src/runtime/processes/log-writer.ts'
import { openProcesses } from '../../src/runtime/processes/open-processes.ts'
import { findMarked, readProcess, send } from '../../src/runtime/processes/process-table.ts'
import { makeProcessId } from '../../src/runtime/processes/server-folder.ts'
import { Program } from '../../src/runtime/processes/supervisor/program.ts'
import { withProcesses } from '../../src/runtime/processes/with-processes.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { SOON_MS } from '../support/command.ts'

const soon = { timeout: SOON_MS, interval: 10 }

const root = mkdtempSync(join(tmpdir(), 'processes-'))
const { supervisorFile, nodeHookFile, userId, groupId } = currentHost()
const place = { supervisorFile, userId, engine: 'unix:///none', folder: join(root, 'user/processes') }
const killed: string[] = []
const runtime = openProcesses(place, { onKilled: ({ id }, graceMs) => killed.push(`${id} ${graceMs}`) })
const session = { [label.session]: 'session1' }
const gentle = { [label.stopSignal]: 'SIGTERM', [label.stopGrace]: '60000' }
let count = 0

type Changes = Omit<Partial<ContainerSpec>, 'process'> & { readonly folder?: string; readonly servers?: NamedServer[] }

function spec(command: readonly string[], { folder = root, servers, ...changes }: Changes = {}): ContainerSpec {
  return {
    ...plainContainer,
    ...{ name: `process-${++count}`, image: '', hostname: '', network: { name: '', aliases: [] } },
    ...changes,
    process: { command, folder, names: servers && { domain: 'shop.test', servers, nodeHookFile, groupId } },
    environment: { PATH: process.env.PATH ?? '', ...changes.environment },
    labels: { ...session, ...changes.labels },
  }
}

async function start(command: readonly string[], changes?: Changes) {
  const id = await runtime.createServer(spec(command, changes))
  await runtime.startServer(id)
  return find(id)
}

async function find(id: string) {
  const found = (await runtime.listServers(session)).find((server) => server.id === id)
  if (found === undefined) throw new Error(`there is no server ${id}`)
  return found
}

/** What the containers of an engine are when there is none. */
const noContainers = {
  location: { url: place.engine },
  observe: async () => ({ servers: [], networks: [], volumes: [] }),
  listServers: async () => [],
  createNetwork: async () => '',
  async *followServers() {},
} as unknown as Runtime

describeProcesses('processes of this machine', async () => {
  const marks = mkdtempSync(join(tmpdir(), 'process-marks-'))
  const host = { ...place, platform: process.platform }
  return {
    runtime: withProcesses(noContainers, host, {}, place.folder),
    specify: (command) => ({
      ...{ image: '', process: { command, folder: '/' }, environment: { PATH: process.env.PATH ?? '' } },
    }),
    openMarks: async () => ({
      spec: { mounts: [], environment: { MARKS: marks } },
      has: async (mark) => existsSync(join(marks, mark)),
    }),
    close: async () => rmSync(marks, { recursive: true }),
  }
})

const logOf = (id: string) => readOutput(runtime.readLogs(id, { follow: true }))
const marked = (id: string) => findMarked(`TESTFLEET_PROCESS=${id}`, userId)

afterAll(async () => {
  const servers = await runtime.listServers(session)
  await Promise.all(servers.map((server) => runtime.removeServer({ ...server, labels: {} })))
  rmSync(root, { recursive: true })
})

describe.concurrent('a server without a container', () => {
  test('runs its command with exactly its variables, in its folder, and keeps its output and its exit code', async () => {
    const text = 'pwd; env | sort | cut -d= -f1; echo to-file >/dev/stderr; printf end; exit 3'
    const { id } = await start(['sh', '-c', text], { environment: { NAME: 'value', TESTFLEET_COMMAND: 'outer' } })
    expect(await runtime.waitServer(id)).toBe(3)
    expect(await logOf(id)).toEqual({
      stdout: `${root}\nNAME\nPATH\nPWD\nTESTFLEET_PROCESS\nend`,
      stderr: 'to-file\n',
    })
    expect(await runtime.inspectServer(id)).toMatchObject({
      state: 'exited',
      exitCode: 3,
      endedAtMs: expect.any(Number),
    })
    await expect(runtime.killServer(id, 'SIGHUP')).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    await runtime.startServer(id)
    expect(await runtime.waitServer(id)).toBe(3)
  })

  test('is stopped with all that it has started: also what left its group, what ignores signals, and what hides its mark', async () => {
    const text = `
      (setsid sh -c 'trap "" TERM HUP; echo left; sleep 1000' &)
      sh -c 'trap "" TERM; echo deaf; sleep 1000' &
      env -i PATH="$PATH" sleep 1000 &
      echo begun; wait`
    const labels = { ...gentle, [label.stopGrace]: '300' }
    const server = await start(['sh', '-c', text], { labels })
    await readUntil(runtime.readLogs(server.id, { follow: true }), 'left')
    await vi.waitFor(() => expect(marked(server.id).length).toBeGreaterThan(4), soon)
    await runtime.stopServer(server)
    expect(killed).toContain(`${server.id} 300`)
    expect(marked(server.id)).toEqual([])
    expect(await find(server.id)).toMatchObject({ state: 'exited' })
  })

  test('is stopped with what was seen with it before it left its session, its environment and its parent', async () => {
    const folder = mkdtempSync(join(root, 'daemon-'))
    const text = 'env -i PATH="$PATH" setsid sleep 1000 & echo $! > pid; while [ ! -e go ]; do sleep 0.05; done'
    const program = new Program(
      {
        ...{ command: ['sh', '-c', `(${text}); exec sleep 1000`], folder, ports: [], restarts: 0 },
        ...{ environment: { PATH: process.env.PATH ?? '' }, stopSignal: 'SIGTERM', stopGraceMs: 60_000 },
      },
      { id: makeProcessId(), folder, userId, log: new LogWriter(folder), note() {}, onOutput() {} },
    )
    await program.start()
    const hidden = () => Number(readFileSync(join(folder, 'pid'), 'utf8'))
    await vi.waitFor(() => expect(readProcess(hidden())?.session).toBe(hidden()), soon)
    const parent = readProcess(hidden())?.parentPid ?? 0
    // Longer than the pause between two looks, in the same event loop.
    await new Promise((wake) => setTimeout(wake, 2500))
    writeFileSync(join(folder, 'go'), '')
    await vi.waitFor(() => expect(readProcess(parent)).toBeUndefined(), soon)
    await program.stop(60_000)
    const left = readProcess(hidden())
    if (left !== undefined) process.kill(left.pid, 'SIGKILL')
    expect(left).toBeUndefined()
  })

  test('reaches servers by their names, also when it has been started again', async () => {
    const servers = [{ server: 'cache', names: ['cache.shop.test', 'Pay'], address: '127.0.0.9', endpoints: {} }]
    const text = 'getent hosts cache.shop.test pay; pwd; sleep 1000'
    const server = await start(['sh', '-c', text], { servers, environment: { A: '1' } })
    await readUntil(runtime.readLogs(server.id, { follow: true }), root)
    const { processId = 0 } = await runtime.inspectServer(server.id)
    expect(readProcess(processId)?.parentPid).toBe(findMarked(`TESTFLEET_SUPERVISOR=${server.id}`, userId)[0])
    expect(readFileSync(`/proc/${processId}/cmdline`, 'utf8')).toContain(text)
    expect(readFileSync('/etc/hosts', 'utf8')).not.toContain('shop.test')
    const exec = await runtime.exec(server.id, { command: ['sh', '-c', 'getent hosts pay; pwd'] })
    expect((await readOutput(exec.output)).stdout).toMatch(/^127\.0\.0\.9 .*\n\//)
    await runtime.stopServer(server)
    await runtime.startServer(server.id)
    await vi.waitFor(async () => {
      const { stdout, stderr } = await readOutput(runtime.readLogs(server.id, { follow: false }))
      expect(stderr).toBe('')
      expect(stdout.match(/^127\.0\.0\.9\s+cache\.shop\.test Pay$/gm)).toHaveLength(4)
    }, soon)
    await runtime.removeServer(server)
  })

  test('runs with the names that are possible, and says so in its log', async () => {
    const listening = createServer((socket) => socket.end('cached'))
    await new Promise<void>((resolve) => void listening.listen(0, '127.0.0.1', resolve))
    const { port } = listening.address() as AddressInfo
    const endpoints = { '6379/tcp': { host: '127.0.0.1', port } }
    const servers = [{ server: 'cache', names: ['cache.shop.test'], address: undefined, endpoints }]
    const text = "require('net').connect(6379, 'cache.shop.test').pipe(process.stdout)"
    const { id } = await start([process.execPath, '-e', text], { servers })
    expect(await runtime.waitServer(id)).toBe(0)
    const { stdout, stderr } = await logOf(id)
    expect({ stdout, stderr }).toEqual({
      stdout: 'cached',
      stderr: expect.stringMatching(/^testfleet: only some programs know the servers' names, because .*\n$/),
    })
    listening.close()
  })

  test('that has ended by itself leaves nothing that it has started', async () => {
    const { id } = await start(['sh', '-c', '(setsid sleep 1000 &); sleep 1000 & exit 0'])
    expect(await runtime.waitServer(id)).toBe(0)
    expect(marked(id)).toEqual([])
  })

  test('whose supervisor is killed ends at once with all that it has started, and has an event of that', async () => {
    const own = { [label.session]: 'killed', [label.server]: 'app' }
    const all = withProcesses(noContainers, { ...place, platform: process.platform }, {}, place.folder)
    const id = await runtime.createServer(
      spec(['sh', '-c', '(setsid sleep 1000 &); sleep 1000 & echo set; wait'], { labels: own }),
    )
    await runtime.startServer(id)
    await readUntil(runtime.readLogs(id, { follow: true }), 'set')
    await vi.waitFor(() => expect(marked(id).length).toBeGreaterThan(1), soon)
    send(findMarked(`TESTFLEET_SUPERVISOR=${id}`, userId), 'SIGKILL')
    await vi.waitFor(() => expect(marked(id)).toEqual([]), soon)
    const readChanges = async () => {
      const changes: object[] = []
      for await (const change of all.followServers('killed', { sinceMs: 0, untilMs: Date.now() })) changes.push(change)
      return changes
    }
    await vi.waitFor(async () => expect(await readChanges()).toHaveLength(3), soon)
    expect((await readChanges()).at(-1)).toMatchObject({ kind: 'exited', server: 'app', id, exitCode: 137 })
    await runtime.removeServer({ id, labels: own, state: 'exited' })
    expect((await readChanges()).at(-1)).toMatchObject({ kind: 'removed', server: 'app', id })
    await all.forgetSession?.('killed')
    expect(readdirSync(place.folder)).not.toContain('events-killed')
  })

  test('whose supervisor is killed has ended, and is removed with what is left of it', async () => {
    const server = await start(['sh', '-c', '(setsid sleep 1000 &); echo set; exec sleep 1000'])
    await readUntil(runtime.readLogs(server.id, { follow: true }), 'set')
    const { processId = 0 } = await runtime.inspectServer(server.id)
    const waiting = runtime.waitServer(server.id)
    process.kill(readProcess(processId)?.parentPid ?? 0, 'SIGKILL')
    expect(await waiting).toBe(137)
    await vi.waitFor(() => expect(readProcess(processId)).toBeUndefined(), soon)
    expect(await find(server.id)).toMatchObject({ state: 'exited' })
    await expect(runtime.startServer(server.id)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    await Promise.all([runtime.removeServer(server), runtime.removeServer(server)])
    expect(marked(server.id)).toEqual([])
    await expect(runtime.inspectServer(server.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('whose supervisor hangs counts as running, and is removed', { tags: ['wide'] }, async () => {
    const server = await start(['sleep', '1000'], { labels: gentle })
    const { processId = 0 } = await runtime.inspectServer(server.id)
    process.kill(readProcess(processId)?.parentPid ?? 0, 'SIGSTOP')
    expect(await find(server.id)).toMatchObject({ state: 'running' })
    await runtime.removeServer(server)
    expect(marked(server.id)).toEqual([])
    expect(findMarked(`TESTFLEET_SUPERVISOR=${server.id}`, userId)).toEqual([])
  })

  test('whose port is taken does not start, and says who has it', async () => {
    const listener = createServer().listen(0, '127.0.0.1')
    await vi.waitFor(() => expect(listener.listening).toBe(true), soon)
    const { port } = listener.address() as { port: number }
    const ports = [{ container: port, protocol: 'tcp', host: port, address: '127.0.0.1' }] as const
    const id = await runtime.createServer(spec(['sleep', '1000'], { ports }))
    const message = expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}, by .*\\(process ${process.pid}\\)$`))
    await expect(runtime.startServer(id)).rejects.toMatchObject({ code: 'PORT_TAKEN', message })
    listener.close()
    await vi.waitFor(() => runtime.startServer(id), soon)
    expect(await find(id)).toMatchObject({ state: 'running', published: [{ address: '127.0.0.1', port }] })
  })

  test('whose port another program took after the start is told apart from one that listens itself', async () => {
    const listener = createServer().listen(0, '127.0.0.1')
    await vi.waitFor(() => expect(listener.listening).toBe(true), soon)
    const { port } = listener.address() as { port: number }
    await new Promise((closed) => listener.close(closed))
    const ports = [{ container: port, protocol: 'tcp', host: port, address: '127.0.0.1' }] as const
    const listen = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('open'))`
    const text = `read go < go; setsid "$NODE" -e "$LISTEN" & wait`
    spawnSync('mkfifo', [join(root, 'go')])
    const environment = { NODE: process.execPath, LISTEN: listen }
    const server = await start(['sh', '-c', text], { ports, environment })
    await runtime.confirmPorts(server.id)
    const foreign = createServer().listen(port, '127.0.0.1')
    await vi.waitFor(() => expect(foreign.listening).toBe(true), soon)
    const message = expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}, by .*\\(process ${process.pid}\\)$`))
    await expect(runtime.confirmPorts(server.id)).rejects.toMatchObject({ code: 'PORT_TAKEN', message })
    await new Promise((closed) => foreign.close(closed))
    writeFileSync(join(root, 'go'), 'go\n')
    await readUntil(runtime.readLogs(server.id, { follow: true }), 'open')
    await runtime.confirmPorts(server.id)
  })

  test('has only its own sockets in its tables', async () => {
    const foreign = createServer().listen(0, '127.0.0.1')
    await vi.waitFor(() => expect(foreign.listening).toBe(true), soon)
    const placeOf = (port: unknown) => `0100007F:${Number(port).toString(16).toUpperCase().padStart(4, '0')} `
    const listen = "const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))"
    const { id } = await start([process.execPath, '-e', listen])
    const own = await readUntil(runtime.readLogs(id, { follow: true }), '\n')
    const tables = (await runtime.readSocketTables(id)) ?? ''
    expect(tables).toContain(placeOf(own))
    expect(tables).not.toContain(placeOf((foreign.address() as AddressInfo).port))
    foreign.close()
  })

  test('whose command does not exist fails with COMMAND_NOT_FOUND, and can be started once it does', async () => {
    const id = await runtime.createServer(spec(['./serve']))
    await expect(runtime.startServer(id)).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
    expect(await find(id)).toMatchObject({ state: 'created' })
    writeFileSync(join(root, 'serve'), '#!/bin/sh\necho served\n', { mode: 0o755 })
    await runtime.startServer(id)
    expect((await logOf(id)).stdout).toBe('served\n')
  })

  test('is started again as often as its fleet file says, and not after it was stopped', async () => {
    const { id } = await start(['sh', '-c', 'echo run; exit 1'], { restarts: 2 })
    expect(await runtime.waitServer(id)).toBe(1)
    expect(await runtime.inspectServer(id)).toMatchObject({ restarts: 2, isRestarting: false })
    expect((await logOf(id)).stdout).toBe('run\nrun\nrun\n')
    const again = await start(['sh', '-c', 'exit 4'], { restarts: 20 })
    await vi.waitFor(async () => expect(await find(again.id)).toMatchObject({ isRestarting: true }), soon)
    const details = async () => runtime.inspectServer(again.id)
    await vi.waitFor(async () => expect(await details()).toMatchObject({ isRestarting: true, exitCode: 4 }), soon)
    await runtime.removeServer(again)
    const server = await start(['sleep', '1000'], { restarts: 2, labels: gentle })
    await runtime.stopServer(server)
    expect(await runtime.inspectServer(server.id)).toMatchObject({ state: 'exited', exitCode: 143, restarts: 0 })
  })

  test('keeps no more of a long output than its log may have', { tags: ['wide'] }, async () => {
    const { id } = await start(['sh', '-c', 'yes | head -c 30000000; echo last'])
    await runtime.waitServer(id)
    const { stdout } = await logOf(id)
    expect(stdout.length).toBeLessThan(20_000_000)
    expect(stdout.endsWith('y\nlast\n')).toBe(true)
  })

  test('has commands with its variables, which end with it, and that can be given up', async () => {
    const server = await start(['sleep', '1000'], { environment: { NAME: 'value' } })
    const cat = await runtime.exec(server.id, { command: ['sh', '-c', 'echo $NAME; cat; exit 4'], stdin: true })
    await cat.write(Buffer.from('typed\n'))
    cat.endInput()
    expect(await readOutput(cat.output)).toEqual({ stdout: 'value\ntyped\n', stderr: '' })
    expect(await cat.exitCode()).toBe(4)
    const abort = new AbortController()
    const given = await runtime.exec(
      server.id,
      { command: ['sh', '-c', 'sleep 1000 & wait'] },
      { signal: abort.signal },
    )
    abort.abort(new Error('enough'))
    await expect(given.exitCode()).rejects.toThrow('enough')
    await vi.waitFor(() => expect(marked(server.id)).toHaveLength(1), soon)
    const missing = runtime.exec(server.id, { command: ['nowhere'] })
    await expect(missing).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
    const terminal = runtime.exec(server.id, { command: ['sh'], tty: { rows: 1, columns: 1 } })
    await expect(terminal).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('a terminal') })
    const last = await runtime.exec(server.id, { command: ['sleep', '1000'] })
    await runtime.stopServer(server)
    expect(await last.exitCode()).toBe(137)
  })

  test('of another engine is not in a list of all, and is found by its session', async () => {
    const other = openProcesses({ ...place, engine: 'unix:///other' }, {})
    const { id } = await start(['sleep', '1000'])
    const ids = async (labels: Record<string, string>) => (await other.listServers(labels)).map((server) => server.id)
    expect(await ids({ [label.session]: '' })).not.toContain(id)
    expect(await ids(session)).toContain(id)
    expect((await runtime.listServers({ [label.session]: '' })).map((server) => server.id)).toContain(id)
  })

  test('ends when somebody has emptied the temporary folder', { tags: ['wide'] }, async () => {
    const server = await start(['sleep', '1000'])
    rmSync(join(place.folder, server.id), { recursive: true })
    await vi.waitFor(() => expect(marked(server.id)).toEqual([]), soon)
  })

  test('has variables that no other user can read', async () => {
    const server = await start(['sleep', '1000'], { environment: { SECRET: 'hidden' } })
    const files = ['server.json', 'log.1'].map((name) => {
      try {
        return readFileSync(join(place.folder, server.id, name), 'utf8')
      } catch {
        return ''
      }
    })
    expect(files.join('')).not.toContain('hidden')
    expect(JSON.stringify((await runtime.inspectServer(server.id)).raw)).not.toContain('hidden')
  })
})
