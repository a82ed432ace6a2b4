import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Attached, attach, detach } from '../../src/engine/local/networks/attach.ts'
import { bridgeOf } from '../../src/engine/local/networks/bridge.ts'
import { networkVerbs } from '../../src/engine/local/networks/networks.ts'
import { rootMachine } from '../../src/engine/local/programs.ts'
import { listNames, makeFolder, newId, openStore, writeRecord } from '../../src/engine/local/store.ts'
import type { ContainerRecord, Local } from '../../src/engine/local/types.ts'
import { type ContainerSpec, plainContainer } from '../../src/model/container.ts'

/** Whether this machine can make networks without a container engine. */
export function canMakeNetworks(): boolean {
  const needed = [
    ['ip', 'netns'],
    ['nft', 'list', 'tables'],
    ['nsenter', '--version'],
  ] as const
  return process.getuid?.() === 0 && needed.every(([program, ...words]) => run(program, ...words).status === 0)
}

/** Networks of a store of its own. Its containers are only network namespaces. */
export interface LocalNetworks {
  readonly local: Local
  readonly verbs: ReturnType<typeof networkVerbs>
  /** Writes the record of a container. */
  create(network: string, changes?: Partial<ContainerSpec>): Promise<ContainerRecord>
  /** Connects a new container to a network. */
  connect(network: string, changes?: Partial<ContainerSpec>): Promise<ContainerRecord & Attached>
  /** Runs a script of Node in the namespace of a container, until it is ready. */
  serve(at: Attached, script: string): Promise<ChildProcess>
  /** Removes everything, and returns texts that are in the names of all that it was. */
  close(): Promise<readonly string[]>
}

export function openNetworks(): LocalNetworks {
  const store = openStore(mkdtempSync(join(tmpdir(), 'local-networks-')))
  const local: Local = { store, machine: rootMachine, runtime: async () => 'runc' }
  const verbs = networkVerbs(local)
  const children: ChildProcess[] = []
  let count = 0
  const create: LocalNetworks['create'] = async (network, changes) => {
    const id = newId()
    const spec: ContainerSpec = {
      ...plainContainer,
      ...{ name: `server${++count}`, image: '', hostname: 'host', labels: {}, network: { name: network, aliases: [] } },
      ...changes,
    }
    const record = { id, name: spec.name, spec, imageId: '', createdAtMs: 0, labels: {}, ownVolumes: {} }
    await makeFolder(store.path('containers', id))
    await writeRecord(store.path('containers', id, 'container.json'), record)
    return record
  }
  return {
    local,
    verbs,
    create,
    async connect(network, changes) {
      const record = await create(network, changes)
      return { ...record, ...(await attach(local, record)) }
    },
    async serve({ attachment }, script) {
      const words = [`--net=${attachment.namespace}`, process.execPath, '-e', script]
      const child = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(child)
      await once(child.stdout, 'data')
      return child
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      const containers = await listNames(store.path('containers'))
      await Promise.all(containers.map((id) => detach(local, id)))
      const networks = (await verbs.listNetworks({})).map(({ id }) => id)
      await Promise.all(containers.map((id) => rmSync(store.path('containers', id), { recursive: true })))
      await Promise.all(networks.map((id) => verbs.removeNetwork(id)))
      rmSync(store.folder, { recursive: true })
      return [...networks.map(bridgeOf), ...containers.flatMap((id) => [id.slice(0, 16), `tv${id.slice(0, 7)}`])]
    },
  }
}

/** What of the machine's namespaces, interfaces and rules has one of these names in it. */
export function leftOf(names: readonly string[]): readonly string[] {
  const all = [
    run('ip', 'netns').stdout,
    run('ip', '-brief', 'link').stdout,
    run('nft', 'list', 'tables').stdout,
    run('nft', 'list', 'chain', 'ip', 'filter', 'FORWARD').stdout,
  ]
  return all.flatMap((text) => text.split('\n')).filter((line) => names.some((name) => line.includes(name)))
}

export function run(program: string, ...words: readonly string[]) {
  return spawnSync(program, words, { encoding: 'utf8' })
}

/** Answers each connection with where it comes from. */
export function tcpServer(port: number): string {
  return `require('node:net').createServer((s) => s.on('error', () => {}).end('from ' + s.remoteAddress)).listen(${port}, '0.0.0.0', () => console.log('ready'))`
}

export function udpServer(port: number): string {
  return `const s = require('node:dgram').createSocket('udp4'); s.on('message', (m, from) => s.send('echo ' + m, from.port, from.address)); s.bind(${port}, () => console.log('ready'))`
}
