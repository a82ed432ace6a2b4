import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withEngine } from './command.ts'

/** A real dockerd of a test's own, to be ended and started at will. Its networks and mounts are its own too. */
export interface OwnEngine extends AsyncDisposable {
  /** As DOCKER_HOST takes it. */
  readonly url: string
  /** In front of a command that shall reach the ports which this engine publishes at its loopback. */
  readonly prefix: readonly string[]
  /** SIGTERM, and a start once it has ended. Resolves when it answers. */
  restart(): Promise<void>
}

/** Why there can be none here; undefined when there can. */
export function whyNoOwnEngine(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are for Linux alone'
  if (process.getuid?.() !== 0) return 'only root may start an engine'
  const folders = (process.env.PATH ?? '').split(':')
  const missing = ['dockerd', 'unshare', 'nsenter', 'ip'].find(
    (program) => !folders.some((folder) => existsSync(join(folder, program))),
  )
  return missing === undefined ? undefined : `there is no ${missing} on PATH`
}

const START_MS = 60_000

export interface OwnEngineOptions {
  /** All that it stores has to fit into that. */
  readonly diskMb?: number
  /** It has addresses for two networks. */
  readonly hasFewAddresses?: boolean
}

/** It has the image, or none. */
export async function openOwnEngine(
  image?: string,
  { diskMb, hasFewAddresses = false }: OwnEngineOptions = {},
): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-own-engine-'))
  const socket = join(folder, 'engine.sock')
  const home = await openNamespaces()
  const prefix = ['nsenter', `--net=/proc/${home.pid}/ns/net`]
  const options = hasFewAddresses ? ['--default-address-pool=base=10.214.0.0/23,size=24'] : []
  let daemon: ChildProcess | undefined
  const close = async (): Promise<void> => {
    if (daemon !== undefined) await end(daemon, 'SIGTERM')
    await killShims(folder)
    await end(home, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    if (diskMb !== undefined) {
      const data = join(folder, 'data')
      await mkdir(data)
      const mount = ['mount', '-t', 'tmpfs', '-o', `size=${diskMb}m`, 'tmpfs', data]
      execFileSync('nsenter', [`--mount=/proc/${home.pid}/ns/mnt`, ...mount])
    }
    daemon = await startDaemon(folder, socket, home, options)
    if (image !== undefined) await copyImage(image, socket)
  } catch (error) {
    await close()
    throw error
  }
  return {
    url: `unix://${socket}`,
    prefix,
    async restart() {
      if (daemon !== undefined) await end(daemon, 'SIGTERM')
      daemon = await startDaemon(folder, socket, home, options)
    },
    [Symbol.asyncDispose]: close,
  }
}

/** A process that keeps them for as long as it lives: what the engine leaves in them goes with it. */
async function openNamespaces(): Promise<ChildProcess> {
  // An engine keeps things in /run that another one on the machine has too.
  const script =
    'mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock && ip link set lo up && echo ready && exec sleep infinity'
  const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

async function startDaemon(
  folder: string,
  socket: string,
  home: ChildProcess,
  options: readonly string[],
): Promise<ChildProcess> {
  const log = await open(join(folder, 'log'), 'a')
  const places = [`--data-root=${folder}/data`, `--exec-root=${folder}/exec`, `--pidfile=${folder}/pid`]
  const namespaces = [`--net=/proc/${home.pid}/ns/net`, `--mount=/proc/${home.pid}/ns/mnt`]
  const child = spawn(
    'nsenter',
    [...namespaces, 'dockerd', ...places, '-H', `unix://${socket}`, '--bip=10.213.0.1/24', ...options],
    {
      stdio: ['ignore', log.fd, log.fd],
      // A Ctrl-C at the tests ends them first.
      detached: true,
    },
  )
  await log.close()
  const until = performance.now() + START_MS
  while (!(await isAnswering(socket))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`dockerd did not start: ${tail(folder)}`)
    await sleep(100)
  }
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** What holds a container outlives an engine that was ended in the middle of starting it (20.10). */
async function killShims(folder: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (words.includes('containerd-shim') && words.includes(`${folder}/exec/`)) process.kill(Number(pid), 'SIGKILL')
  }
}

function tail(folder: string): string {
  return execFileSync('tail', ['-n', '3', join(folder, 'log')], { encoding: 'utf8' })
}

async function isAnswering(socketPath: string): Promise<boolean> {
  try {
    const response = await ask({ socketPath, path: '/_ping' })
    response.resume()
    return response.statusCode === 200
  } catch {
    return false
  }
}

/** From the engine that the tests use, as the new one has no registry. */
async function copyImage(image: string, socketPath: string): Promise<void> {
  const from = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const saved = await ask({ socketPath: from, path: `/images/${image}/get` })
  const headers = { 'content-type': 'application/x-tar' }
  const loaded = await ask({ socketPath, path: '/images/load?quiet=1', method: 'POST', headers }, saved)
  let text = ''
  for await (const chunk of loaded) text += chunk
  if (loaded.statusCode !== 200 || /error/i.test(text)) throw new Error(`${image} could not be loaded: ${text}`)
}

function ask(options: RequestOptions, body?: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, agent: false }, resolve).once('error', reject)
    if (body === undefined) outgoing.end()
    else body.pipe(outgoing)
  })
}
