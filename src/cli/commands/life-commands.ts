import { type Commands, oneServer, servers } from './command.ts'
import { flag, text, timeline, timeout } from './options.ts'

const force = flag('Even if a join or a run holds the session')
const wait = { ...flag('Return at once, without waiting until the servers are ready'), isNegated: true } as const
const grace = text('TIME', 'Time to obey the stop signal before the server is killed', {
  default: 'stopGracePeriod of the server, or 10s',
})

/** Commands that start, stop and signal servers. Without names, all servers, in the order of their dependencies. */
export const lifeCommands = {
  start: {
    summary: 'start servers that were stopped, and wait until they are ready',
    operands: servers,
    options: { wait, timeout, timeline },
    examples: {
      'testfleet start': 'Start all servers of the session',
      'testfleet start db': 'Start the server db; its files are as it left them',
    },
  },
  stop: {
    summary: 'stop servers, and keep their files',
    operands: servers,
    options: { grace, force, timeout },
    examples: {
      'testfleet stop': 'Stop all servers, each after those that depend on it',
      'testfleet stop --grace 1s db': 'Stop db; kill it after a second',
    },
  },
  restart: {
    summary: 'stop and start servers, and wait until they are ready',
    operands: servers,
    options: { grace, wait, force, timeout, timeline },
    examples: { 'testfleet restart web': 'Restart the server web' },
  },
  kill: {
    summary: 'send a signal to servers',
    operands: servers,
    options: {
      signal: {
        ...text('SIGNAL', 'Name or number of the signal', {
          default: 'SIGKILL',
        }),
        short: 's',
      },
      force,
      timeout,
    },
    examples: {
      'testfleet kill db': 'Crash db',
      'testfleet kill -s HUP web': 'Ask web to read its configuration again',
    },
  },
  pause: {
    summary: 'freeze servers: they keep their connections and answer nothing',
    operands: servers,
    options: { force, timeout },
    examples: { 'testfleet pause db': 'See how clients handle a db that hangs' },
  },
  resume: {
    summary: 'resume paused servers, and wait until they are ready',
    operands: servers,
    options: { wait, timeout, timeline },
    examples: { 'testfleet resume db': 'End the pause of db' },
  },
  cp: {
    summary: 'copy files between this machine and a server',
    operands: [
      {
        name: 'FROM',
        count: 'one',
        word: 'path to copy from',
        completes: 'file',
        missing: 'Usage: testfleet cp SERVER:PATH PATH, or PATH SERVER:PATH',
      },
      {
        name: 'TO',
        count: 'one',
        word: 'path to copy to',
        completes: 'file',
        missing: 'Usage: testfleet cp SERVER:PATH PATH, or PATH SERVER:PATH',
      },
    ],
    options: {
      archive: {
        ...flag('Keep the numeric ids of owners; otherwise, copies belong to root in a server, and to you here'),
        short: 'a',
      },
      'follow-link': { ...flag('Copy what FROM leads to if it is a symbolic link'), short: 'L' },
    },
    examples: {
      'testfleet cp seed.sql db:/tmp/': 'Copy a file into the folder /tmp of db',
      'testfleet cp web:/var/log/nginx logs': 'Copy a folder of web to this machine',
      'testfleet cp web:/etc - | tar t': 'Write a tar stream; `-` as FROM reads one',
    },
  },
  port: {
    summary: 'print where a port of a server is reached',
    operands: [...oneServer, { name: 'PORT', count: 'optional' }],
    examples: {
      'testfleet port db 5432': 'Print HOST:PORT',
      'testfleet port dns 53/udp': 'Print HOST:PORT of a UDP port',
      'testfleet port db': 'Print all published ports',
    },
  },
} satisfies Commands
