import { type Commands, oneServer, servers } from './command.ts'
import { lifeCommands } from './life-commands.ts'
import { flag, text, trust } from './options.ts'
import { stateCommands } from './state-commands.ts'

export const serverCommands = {
  ps: {
    summary: 'show the servers of a session, or all sessions',
    options: { all: flag('Every session on the engine: fleet, servers, state, age, holders, folder') },
    examples: {
      'testfleet ps': 'Show state, address and endpoints of each server',
      'testfleet ps --all': 'List all sessions on the engine',
    },
  },
  endpoints: {
    summary: 'print the endpoints of the servers',
    options: {
      format: text('FORMAT', 'Print the variables that run gives its command, in this form', {
        completes: ['env', 'dotenv', 'json', 'shell', 'github'],
      }),
      trust,
    },
    examples: { 'eval "$(testfleet endpoints --format shell)"': 'Set the variables in this shell' },
  },
  hosts: {
    summary: 'print the names of the servers as lines for /etc/hosts',
    examples: { 'testfleet hosts': 'Print a line for each server' },
  },
  logs: {
    summary: 'print the logs of servers',
    operands: servers,
    options: {
      follow: { ...flag('Keep printing new lines; after logs, -f is this option'), short: 'f' },
      tail: text('N', 'Only the last N lines of each server'),
      since: text('TIME', 'Only lines since then: 10m ago, or 2024-01-31T12:00:00Z'),
      timestamps: flag('Print the time of each line'),
    },
    examples: { 'testfleet logs -f db': 'Follow the log of db' },
  },
  events: {
    summary: 'follow what happens to the servers of a session',
    options: {
      since: text('TIME', 'First what has happened since then: 10m ago, or 2024-01-31T12:00:00Z'),
    },
    examples: {
      'testfleet events': 'Print a line whenever a server starts, ends, is paused or is removed',
      'testfleet events --since 10m --json': 'Print one JSON document a line, beginning 10 minutes ago',
    },
  },
  why: {
    summary: 'say what was wrong with the servers during the last run',
    examples: {
      'testfleet why': 'Say why servers of the last run of this fleet ended, or were never ready',
      'testfleet why --session shop-1a2b3c --json': 'Print what was wrong in the session of a `run`, as JSON',
    },
  },
  exec: {
    summary: 'run a command inside a server',
    operands: oneServer,
    command: 'required',
    options: {
      interactive: {
        ...flag('Pass standard input to CMD (default: only if input and output are a terminal)'),
        short: 'i',
      },
      tty: {
        ...flag('Give CMD a terminal (default: only if input and output are one); --no-tty gives none'),
        short: 't',
      },
      env: {
        ...text('NAME[=VALUE]', 'Variable for CMD; NAME alone passes your own value; repeat it for more'),
        short: 'e',
        multiple: true,
      },
      workdir: { ...text('DIR', 'Folder in the server in which CMD starts'), short: 'w' },
      user: { ...text('USER', 'User to run it as'), short: 'u' },
    },
    examples: {
      'testfleet exec db -- psql': 'Open a database shell in the server db',
      'testfleet exec -i db -- psql < dump.sql': 'Pass a file to a command',
    },
  },
  ...lifeCommands,
  ...stateCommands,
  rm: {
    summary: 'remove servers of a session',
    operands: [
      { name: 'SERVER', count: 'some', completes: 'server', missing: 'To remove them all, run `testfleet down`.' },
    ],
    options: { force: flag('Even if a join or a run holds the session') },
    examples: { 'testfleet rm web': 'Remove the server web; `testfleet up` starts it again' },
  },
} satisfies Commands
