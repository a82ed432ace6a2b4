import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { acceptMiscounted } from '../../src/engine/conformance/harness.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { plainContainer } from '../../src/model/container.ts'
import { label } from '../../src/model/labels.ts'
import {
  type CommandOptions,
  type CommandResult,
  countLeftovers,
  makeFleetFolder,
  ofItsOwn,
  type RunningCommand,
  removeFleetFolders,
  runTestfleet,
  startTestfleet,
  withEngine,
} from './command.ts'
import { lookInto, Testfleet } from './library.ts'

/** The image that all of them start from; it has perl. */
export const base = 'debian:bookworm-slim'

/** A fleet of one test, in a folder of its own. */
export interface TestFleet {
  readonly name: string
  readonly folder: string
  run(words: readonly string[], options?: CommandOptions): Promise<CommandResult>
  start(words: readonly string[], options?: CommandOptions): RunningCommand
  /** What a command in a server prints; it has to succeed. In this process, for tests of something else than `exec`. */
  exec(server: string, ...command: string[]): Promise<string>
  /** Takes it down in this process, for tests of something else than `down`. */
  takeDown(): Promise<void>
  /** Writes its servers again. */
  rewrite(servers: readonly string[]): Promise<void>
  /** The references of the images that were built for it. */
  listImages(): Promise<readonly string[]>
}

const fleets: TestFleet[] = []

/** `servers` are the lines below `servers:`, which is line 2 of the file; with files such as `Dockerfile` next to it. */
export async function makeFleet(
  servers: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<TestFleet> {
  const name = `failing-${randomBytes(4).toString('hex')}`
  const format = (lines: readonly string[]): string =>
    `name: ${name}\nservers:\n${lines.map((line) => `  ${line}\n`).join('')}`
  const folder = await makeFleetFolder({ ...files, 'testfleet.yaml': format(servers), 'tmp/.keep': '' })
  // What is written for a failure, and keys, go where they are found, and removed, with the folder.
  const inside = (options: CommandOptions = {}): CommandOptions => ({
    cwd: folder,
    ...options,
    env: { TMPDIR: join(folder, 'tmp'), TESTFLEET_STATE_DIR: join(folder, 'state'), ...options.env },
  })
  const fleet: TestFleet = {
    name,
    folder,
    run: async (words, options) => ofItsOwn(await runTestfleet(words, inside(options)), name),
    start: (words, options) => startTestfleet(words, inside(options)),
    exec: (server, ...command) => lookInto(folder, server, command),
    async takeDown() {
      await new Testfleet({ folder }).down().catch(acceptMiscounted)
    },
    rewrite: (lines) => writeFile(join(folder, 'testfleet.yaml'), format(lines)),
    listImages: () =>
      withEngine(async (engine) => {
        const images = await engine.listImages({ [label.fleet]: name })
        return images.flatMap(({ references }) => references)
      }),
  }
  fleets.push(fleet)
  return fleet
}

/** Removes all that the test's fleets have made, and fails if that was more than their images. */
export async function endFleets(): Promise<void> {
  const made = fleets.splice(0)
  const left: string[] = []
  for (const fleet of made) {
    if ((await countLeftovers(fleet.name)) > 0) {
      left.push(fleet.name)
      await removeSessions(fleet.name)
    }
  }
  await withEngine(async (engine) => {
    for (const fleet of made) {
      for (const reference of await fleet.listImages()) await engine.removeImage(reference)
    }
  })
  await removeFleetFolders()
  expect(left, 'sessions of which something was left').toEqual([])
}

/** Behind the command's back, as it may be what failed. */
async function removeSessions(name: string): Promise<void> {
  const labels = { [label.fleet]: name }
  await withEngine(async (engine) => {
    for (const { id } of await engine.listContainers(labels)) await engine.removeContainer(id)
    for (const { id } of await engine.listNetworks(labels)) await engine.removeNetwork(id)
    for (const { name } of await engine.listVolumes(labels)) await engine.removeVolume(name)
  })
}

/** One that answers HTTP at port 80 with `hello`. */
export const webServer = [
  'perl',
  '-MIO::Socket::INET',
  '-e',
  '$| = 1; $s = IO::Socket::INET->new(LocalPort => 80, Listen => 9, ReuseAddr => 1) or die; print "listening\\n"; ' +
    'while ($c = $s->accept) { sysread $c, $_, 9999; print $c "HTTP/1.0 200 OK\\r\\n\\r\\nhello"; close $c }',
]

/** A server as a line of YAML that is JSON. */
export function server(keys: object): string {
  return JSON.stringify({ image: base, ...keys })
}

export const sleeper = server({ command: ['sleep', '600'] })

export interface JsonError {
  readonly code: string
  readonly message: string
  readonly server?: string
  readonly hint?: string
  readonly line?: number
  readonly column?: number
  readonly output?: readonly string[]
  readonly bundle?: string
  readonly archive?: string
  readonly bundleProblem?: string
}

/** The one document on stdout. */
export function readError({ stdout }: CommandResult): JsonError {
  return JSON.parse(stdout).error
}

/** The lines of a message, without what the progress says before it. */
export function messageOf({ stderr }: CommandResult): string {
  return stderr.slice(stderr.search(/^error: /m))
}

/** The same of a failure that has a bundle, without its last line, which has to name it. */
export function messageAboveBundle(fleet: TestFleet, result: CommandResult): string {
  const [message = '', folder = '', ...rest] = messageOf(result).split('failure bundle, summary.txt first: ')
  expect(folder).toMatch(new RegExp(`^${fleet.folder}/tmp/testfleet-${fleet.name}-\\w{6}\n$`))
  expect(rest).toEqual([])
  return message
}

/** A container that is not of testfleet. */
export function foreignContainer(name: string): Parameters<Engine['createContainer']>[0] {
  return {
    ...plainContainer,
    name,
    image: base,
    hostname: 'foreign',
    command: ['sleep', '600'],
    labels: { 'dev.testfleet.foreign': 'foreign' },
    network: { name: 'bridge', aliases: [] },
  }
}
