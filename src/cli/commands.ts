import type { ParseArgsOptionsConfig } from 'node:util'
import type { Call } from './call.ts'

/** What a command is called with besides options. */
type Operands = 'none' | 'preset or none' | 'server' | 'servers' | 'command' | 'command or none' | 'server and command'

export interface Command {
  readonly summary: string
  readonly usage: string
  readonly operands: Operands
  readonly options: ParseArgsOptionsConfig
  /** A line for each option of its own. */
  readonly help: readonly string[]
  /** The code behind it, loaded only when it is called. Resolves with the exit code. */
  readonly load: () => Promise<{ readonly run: (call: Call) => Promise<number> }>
}

/** Options of every command. */
export const commonOptions = {
  file: { type: 'string', short: 'f' },
  session: { type: 'string' },
  engine: { type: 'string' },
  'insecure-engine': { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  verbose: { type: 'boolean' },
  color: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

export const commonHelp = [
  '-f FILE           the fleet file; default: testfleet.yaml (.yml .json .ts .mts .js .mjs), here or above',
  '--session NAME    the session; default: TESTFLEET_SESSION, then the session of this checkout',
  "--engine URL      the engine, or context:NAME; default: the docker command's",
  '--insecure-engine uses an engine of another machine without TLS: whoever reaches it is root there',
  '--json            the result as one JSON document on stdout',
  '--quiet           no progress',
  '--verbose         more progress: build output, answers of ready checks',
  '--no-color        no colours',
  '-h, --help        this text',
]

const bind = { bind: { type: 'string' } } as const
const bindHelp = '--bind fixed      give every port the same number on this machine; default: free'
const keep = { keep: { type: 'boolean' } } as const
const keepHelp = '--keep            leave what was started when something fails'

const names = { names: { type: 'string' } } as const
const namesHelp =
  '--names WAY       how CMD gets the names of the servers: auto, namespace, proxy or none; default: auto'

const pid = { pid: { type: 'string' } } as const

const timeout = { timeout: { type: 'string' } } as const
const timeoutHelp = '--timeout TIME    how long all of it may take, such as 90s; default: 30m'

const bundle = { bundle: { type: 'string' } } as const
const bundleHelp = '--bundle FILE     when it fails, write the failure bundle as one file too (.tar.gz)'

/** In the order in which `testfleet help` lists them. */
export const commands = {
  init: {
    summary: 'write a starter fleet file',
    usage: 'init',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./init.ts'),
  },
  check: {
    summary: 'validate the fleet file, and look for risks in it',
    usage: 'check [--fail-on SEVERITY]',
    operands: 'none',
    options: { format: { type: 'string' }, 'fail-on': { type: 'string' } },
    help: [
      '--format FORMAT   text, json or sarif; default: text',
      '--fail-on LEVEL   exit with 1 when something is found that is low, medium, high or critical, or worse',
    ],
    load: () => import('./check.ts'),
  },
  plan: {
    summary: 'say what up would do, server by server, and why',
    usage: 'plan [SERVER…]',
    operands: 'servers',
    options: bind,
    help: [bindHelp],
    load: () => import('./plan.ts'),
  },
  build: {
    summary: 'build the images that are missing',
    usage: 'build [SERVER…]',
    operands: 'servers',
    options: { ...timeout, ...bundle },
    help: [timeoutHelp, bundleHelp],
    load: () => import('./build.ts'),
  },
  up: {
    summary: 'build, start, wait until ready, print the endpoints',
    usage: 'up [SERVER…]',
    operands: 'servers',
    options: { ...bind, ...keep, ...timeout, ...bundle, ttl: { type: 'string' } },
    help: [
      bindHelp,
      keepHelp,
      '--ttl TIME        take it down by itself after that time, such as 90m; default: never',
      timeoutHelp,
      bundleHelp,
    ],
    load: () => import('./up.ts'),
  },
  run: {
    summary: 'a session of its own around one command',
    usage: 'run [--server S]… -- CMD…',
    operands: 'command',
    options: { ...bind, ...keep, ...timeout, ...bundle, ...names, server: { type: 'string', multiple: true } },
    help: [
      '--server S        only this server and what it depends on; can be given again',
      bindHelp,
      keepHelp,
      '--timeout TIME    how long it may take until the command is started, such as 90s; default: 30m',
      namesHelp,
      bundleHelp,
    ],
    load: () => import('./run.ts'),
  },
  join: {
    summary: 'hold a session of run, for a command or for the process that calls this',
    usage: 'join [-- CMD…]',
    operands: 'command or none',
    options: { ...pid, ...names },
    help: [
      namesHelp,
      '--pid PID         without CMD: hold it for this process, until it ends; default: the one that calls',
    ],
    load: () => import('./join.ts'),
  },
  release: {
    summary: 'end what join has begun for a process',
    usage: 'release',
    operands: 'none',
    options: pid,
    help: ['--pid PID         the process; default: the one that calls'],
    load: () => import('./release.ts'),
  },
  ps: {
    summary: 'show the servers of a session, or all sessions',
    usage: 'ps [--all]',
    operands: 'none',
    options: { all: { type: 'boolean' } },
    help: ['--all             every session on the engine: name, fleet, folder, age, who holds it, state'],
    load: () => import('./ps.ts'),
  },
  endpoints: {
    summary: 'print where the servers are reached',
    usage: 'endpoints [--format env|dotenv|json|shell]',
    operands: 'none',
    options: { format: { type: 'string' } },
    help: ['--format FORMAT   the variables that run gives its command: env, dotenv, json or shell'],
    load: () => import('./endpoints.ts'),
  },
  hosts: {
    summary: "print the servers' names as lines for /etc/hosts",
    usage: 'hosts',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./hosts.ts'),
  },
  logs: {
    summary: 'print what servers log',
    usage: 'logs [SERVER…]',
    operands: 'servers',
    options: { follow: { type: 'boolean' }, tail: { type: 'string' }, timestamps: { type: 'boolean' } },
    help: [
      '-f, --follow      go on as they log; a fleet file is named by --file then',
      '--tail N          only the last N lines of each',
      '--timestamps      with the time of each line',
    ],
    load: () => import('./logs.ts'),
  },
  exec: {
    summary: 'run a command inside a server',
    usage: 'exec SERVER -- CMD…',
    operands: 'server and command',
    options: { user: { type: 'string' } },
    help: ['--user USER       as this user'],
    load: () => import('./exec.ts'),
  },
  down: {
    summary: 'remove a session',
    usage: 'down',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./down.ts'),
  },
  rm: {
    summary: 'remove servers of a session',
    usage: 'rm SERVER…',
    operands: 'servers',
    options: {},
    help: [],
    load: () => import('./rm.ts'),
  },
  rmi: {
    summary: 'remove the images that were built for a fleet',
    usage: 'rmi [SERVER…]',
    operands: 'servers',
    options: {},
    help: [],
    load: () => import('./rmi.ts'),
  },
  pin: {
    summary: 'write the digests of images into the fleet file',
    usage: 'pin',
    operands: 'none',
    options: { check: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
    help: [
      '--check           only say which have none; exit code 1 if there are any',
      '--dry-run         only say what would be written; nothing is pulled',
    ],
    load: () => import('./pin.ts'),
  },
  sbom: {
    summary: "list the packages of a server's image, as CycloneDX",
    usage: 'sbom SERVER',
    operands: 'server',
    options: { output: { type: 'string' } },
    help: ['--output FILE     write it to this file; default: stdout'],
    load: () => import('./sbom.ts'),
  },
  prune: {
    summary: 'remove what dead sessions have left',
    usage: 'prune',
    operands: 'none',
    options: { all: { type: 'boolean' }, 'older-than': { type: 'string' }, 'dry-run': { type: 'boolean' } },
    help: [
      '--all             also sessions that nobody has to hold, such as those of up',
      '--older-than TIME only what was last changed longer ago, such as 1h; with --all, also what other machines hold',
      '--dry-run         only say what would be removed',
    ],
    load: () => import('./prune.ts'),
  },
  doctor: {
    summary: 'say which engine is used, why, and what is wrong with it',
    usage: 'doctor',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./doctor.ts'),
  },
  presets: {
    summary: 'list the servers of the catalogue, or say what one can be asked for',
    usage: 'presets [PRESET]',
    operands: 'preset or none',
    options: {},
    help: [],
    load: () => import('./presets.ts'),
  },
  schema: {
    summary: 'print the JSON Schema of the fleet file',
    usage: 'schema',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./schema.ts'),
  },
  version: {
    summary: 'print the version',
    usage: 'version',
    operands: 'none',
    options: {},
    help: [],
    load: () => import('./version.ts'),
  },
} satisfies Record<string, Command>

export type CommandName = keyof typeof commands
