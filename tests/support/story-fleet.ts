import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { acceptMiscounted } from '../../src/engine/conformance/harness.ts'
import type { FleetFile } from '../../src/model/fleet-file.ts'
import type { SessionReport } from '../../src/model/running.ts'
import { type CommandOptions, type CommandResult, makeFleetFolder, ofItsOwn, runTestfleet } from './command.ts'
import { lookInto, Testfleet } from './library.ts'
import { askEngine } from './raw-engine.ts'

export type { SessionReport }
export type Servers = FleetFile['servers']
type Rest = Omit<FleetFile, 'name' | 'servers'>

/** A fleet in a folder of its own, with a name that no other has, as the command sees it. */
export interface StoryFleet {
  readonly name: string
  readonly folder: string
  /** Calls the command in the folder. */
  call(words: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** As `call`, for a call that has to succeed. */
  done(words: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** As `done`, with `--json`: what it printed, which has to be one document. */
  json<Shape = SessionReport>(words: readonly string[], options?: CommandOptions): Promise<Shape>
  /** What a command in a server prints; it has to succeed. In this process, for tests of something else than `exec`. */
  exec(server: string, ...command: string[]): Promise<string>
  /** What `ps --json` prints, asked for in this process. */
  report(): Promise<SessionReport>
  /** Writes the fleet file again. */
  declare(servers: Servers, rest?: Rest): Promise<void>
  /** Takes these sessions down, and removes the images. */
  cleanUp(...sessions: string[]): Promise<void>
}

export function makeName(word: string): string {
  return `${word}-${randomBytes(3).toString('hex')}`
}

export async function makeFleet(
  servers: Servers,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  rest: Rest = {},
): Promise<StoryFleet> {
  const name = makeName('story')
  const text = (declared: Servers, more: Rest): string => JSON.stringify({ name, ...more, servers: declared }, null, 2)
  const folder = await makeFleetFolder({ ...files, 'testfleet.json': text(servers, rest) })
  const call: StoryFleet['call'] = async (words, options) =>
    ofItsOwn(await runTestfleet(words, { cwd: folder, ...options }), name)
  const done: StoryFleet['done'] = async (words, options) => {
    const result = await call(words, options)
    if (result.exitCode === 0) return result
    throw new Error(`testfleet ${words.join(' ')} ended with ${result.exitCode}:\n${result.stdout}${result.stderr}`)
  }
  return {
    name,
    folder,
    call,
    done,
    json: async (words, options) => JSON.parse((await done([...words, '--json'], options)).stdout),
    exec: (server, ...command) => lookInto(folder, server, command),
    report: () => new Testfleet({ folder }).ps(),
    declare: (declared, more = {}) => writeFile(join(folder, 'testfleet.json'), text(declared, more)),
    async cleanUp(...sessions) {
      const testfleet = new Testfleet({ folder })
      for (const session of sessions.length === 0 ? [name] : sessions)
        await testfleet.down({ session }).catch(acceptMiscounted)
      await testfleet.removeImages()
    },
  }
}

/** The container of each server, by name. */
export function containersOf(report: SessionReport): Record<string, string> {
  return Object.fromEntries(Object.entries(report.servers).map(([name, { container }]) => [name, container]))
}

/** What the engine says of a container, as far as tests look at it. */
export interface Inspected {
  readonly Name: string
  readonly Image: string
  readonly State: { readonly StartedAt: string; readonly FinishedAt: string }
  readonly Config: {
    readonly Env: readonly string[]
    readonly Labels: Readonly<Record<string, string>>
    readonly [key: string]: unknown
  }
  readonly HostConfig: Readonly<Record<string, unknown>>
}

export async function inspect(container: string): Promise<Inspected> {
  return (await askEngine('GET', `/containers/${container}/json`)) as Inspected
}
