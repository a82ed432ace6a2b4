import type { ParseArgsOptionsConfig } from 'node:util'
import type { Call } from './call.ts'

/** What a command is called with besides options. */
type Operands = 'none' | 'preset or none' | 'server' | 'servers' | 'command' | 'command or none' | 'server and command'

/** An option as `parseArgs` wants it, with its lines of the help. */
type Options = Readonly<Record<string, ParseArgsOptionsConfig[string] & { readonly help: string }>>

interface Command {
  readonly summary: string
  /** Default: the name alone. */
  readonly usage?: string
  /** Default: none. */
  readonly operands?: Operands
  readonly options?: Options
  /** The code of the command, loaded only when it is called. `run` resolves with the exit code. */
  readonly load: () => Promise<{ readonly run: (call: Call) => Promise<number> }>
}

const text = (help: string) => ({ type: 'string', help }) as const
const flag = (help: string) => ({ type: 'boolean', help }) as const

/** Options of every command. */
export const commonOptions = {
  file: {
    ...text('-f FILE           the fleet file; default: testfleet.yaml (.yml .json .ts .mts .js .mjs), here or above'),
    short: 'f',
  },
  session: text('--session NAME    the session; default: TESTFLEET_SESSION, then the session of this checkout'),
  engine: text("--engine URL      the engine, or context:NAME; default: the docker command's"),
  'insecure-engine': flag(
    '--insecure-engine uses an engine of another machine without TLS: whoever reaches it is root there',
  ),
  json: flag('--json            the result as one JSON document on stdout'),
  quiet: flag('--quiet           no progress; the result is printed all the same'),
  verbose: flag('--verbose         more progress: build output, answers of ready checks'),
  color: flag('--no-color        no colours'),
  help: { ...flag('-h, --help        this text'), short: 'h' },
} as const satisfies Options

const bind = text('--bind fixed      publish each port under its own number (5432 as 5432); default: free')
const keep = flag('--keep            leave what was started when something fails')
const names = text(
  '--names WAY       how CMD gets the names of the servers: auto, namespace, proxy or none; default: auto',
)
const trust = flag('--no-trust        leave out the variables by which clients trust the certificates of the fleet')
const timeout = text('--timeout TIME    how long all of it may take, such as 90s; default: 30m')
const bundle = text('--bundle FILE     when it fails, write the failure bundle as one file too (.tar.gz)')

/** In the order in which `testfleet help` lists them. */
export const commands = {
  init: { summary: 'write a starter fleet file', load: () => import('./init.ts') },
  check: {
    summary: 'validate the fleet file, and look for risks in it',
    usage: 'check [--fail-on SEVERITY]',
    options: {
      format: text('--format FORMAT   text, json or sarif; default: text'),
      'fail-on': text(
        '--fail-on LEVEL   exit with 1 when something is found that is low, medium, high or critical, or worse',
      ),
    },
    load: () => import('./check.ts'),
  },
  plan: {
    summary: 'say what up would do, server by server, and why',
    usage: 'plan [SERVER…]',
    operands: 'servers',
    options: { bind },
    load: () => import('./plan.ts'),
  },
  build: {
    summary: 'build the images that are missing',
    usage: 'build [SERVER…]',
    operands: 'servers',
    options: { timeout, bundle },
    load: () => import('./build.ts'),
  },
  up: {
    summary: 'build, start, wait until ready, print the endpoints',
    usage: 'up [SERVER…]',
    operands: 'servers',
    options: {
      bind,
      keep,
      ttl: text('--ttl TIME        take it down by itself after that time, such as 90m; default: never'),
      timeout,
      bundle,
    },
    load: () => import('./up.ts'),
  },
  run: {
    summary: 'a session of its own around one command',
    usage: 'run [--server S]… -- CMD…',
    operands: 'command',
    options: {
      server: {
        ...text('--server S        only this server and what it depends on; can be given again'),
        multiple: true,
      },
      session: text('--session NAME    name of the new session, which must not exist; default: one of its own'),
      bind,
      keep,
      timeout: text('--timeout TIME    how long it may take until the command is started, such as 90s; default: 30m'),
      names,
      trust,
      bundle,
    },
    load: () => import('./run.ts'),
  },
  join: {
    summary: 'run a command with the variables and names of a session',
    usage: 'join [-- CMD…]',
    operands: 'command or none',
    options: {
      names,
      trust,
      pid: text('--pid PID         without CMD: hold it for this process, until it ends; default: the one that calls'),
    },
    load: () => import('./join.ts'),
  },
  release: {
    summary: 'end what join has begun for a process',
    options: { pid: text('--pid PID         the process; default: the one that calls') },
    load: () => import('./release.ts'),
  },
  ps: {
    summary: 'show the servers of a session, or all sessions',
    usage: 'ps [--all]',
    options: {
      all: flag('--all             every session on the engine: name, fleet, folder, age, who holds it, state'),
    },
    load: () => import('./ps.ts'),
  },
  endpoints: {
    summary: 'print where the servers are reached',
    usage: 'endpoints [--format env|dotenv|json|shell|github]',
    options: {
      format: text('--format FORMAT   the variables that run gives its command: env, dotenv, json, shell or github'),
      trust,
    },
    load: () => import('./endpoints.ts'),
  },
  hosts: { summary: "print the servers' names as lines for /etc/hosts", load: () => import('./hosts.ts') },
  logs: {
    summary: 'print what servers log',
    usage: 'logs [SERVER…]',
    operands: 'servers',
    options: {
      follow: flag('-f, --follow      go on as they log; a fleet file is named by --file then'),
      tail: text('--tail N          only the last N lines of each'),
      timestamps: flag('--timestamps      with the time of each line'),
    },
    load: () => import('./logs.ts'),
  },
  exec: {
    summary: 'run a command inside a server',
    usage: 'exec SERVER -- CMD…',
    operands: 'server and command',
    options: {
      interactive: {
        ...flag('-i, --interactive hand on standard input; default: only from a terminal to a terminal'),
        short: 'i',
      },
      user: text('--user USER       as this user'),
    },
    load: () => import('./exec.ts'),
  },
  down: {
    summary: 'remove a session',
    options: { force: flag('--force           also while others hold it, by join or run') },
    load: () => import('./down.ts'),
  },
  rm: {
    summary: 'remove servers of a session',
    usage: 'rm SERVER…',
    operands: 'servers',
    options: { force: flag('--force           also while others hold the session, by join or run') },
    load: () => import('./rm.ts'),
  },
  rmi: {
    summary: 'remove the images that were built for a fleet',
    usage: 'rmi [SERVER…]',
    operands: 'servers',
    load: () => import('./rmi.ts'),
  },
  pin: {
    summary: 'write the digests of images into the fleet file',
    options: {
      check: flag('--check           only say which have none; exit code 1 if there are any'),
      'dry-run': flag('--dry-run         only say what would be written; nothing is pulled'),
    },
    load: () => import('./pin.ts'),
  },
  sbom: {
    summary: "list the packages of a server's image, as CycloneDX",
    usage: 'sbom SERVER',
    operands: 'server',
    options: { output: text('--output FILE     write it to this file; default: stdout') },
    load: () => import('./sbom.ts'),
  },
  prune: {
    summary: 'remove what dead sessions have left, and old images',
    options: {
      all: flag('--all             also sessions that nobody has to hold, such as those of up'),
      'older-than': text(
        '--older-than TIME only what was last changed longer ago, such as 1h; with --all, also what other machines hold',
      ),
      images: flag('--images          also images of servers that no container uses, of all fleets, except the newest'),
      keep: text('--keep N          with --images: how many of the newest of each server stay; default: 1'),
      'dry-run': flag('--dry-run         only say what would be removed'),
    },
    load: () => import('./prune.ts'),
  },
  doctor: { summary: 'say which engine is used, why, and what is wrong with it', load: () => import('./doctor.ts') },
  presets: {
    summary: 'list the servers of the catalogue, or the options of one',
    usage: 'presets [PRESET]',
    operands: 'preset or none',
    load: () => import('./presets.ts'),
  },
  schema: { summary: 'print the JSON Schema of the fleet file', load: () => import('./schema.ts') },
  version: { summary: 'print the version', load: () => import('./version.ts') },
} satisfies Record<string, Command>

export type CommandName = keyof typeof commands

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

export function findCommand(name: CommandName): Required<Command> {
  return { usage: name, operands: 'none', options: {}, ...commands[name] }
}
