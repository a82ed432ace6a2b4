import { type Commands, servers } from './command.ts'
import { attachLogs, bind, bundle, flag, keep, names, text, timeline, timeout, trust } from './options.ts'

export const sessionCommands = {
  build: {
    summary: 'build the images that are missing',
    operands: servers,
    options: { timeout, bundle, timeline },
    examples: { 'testfleet build web': 'Build the image of web' },
  },
  bake: {
    summary: 'save the ready state of servers as images, for those that have `bake`',
    operands: servers,
    options: { timeout, bundle, timeline },
    examples: { 'testfleet bake db': 'Bake the image of db' },
  },
  save: {
    summary: 'save the images of a fleet in one archive',
    operands: [{ name: 'FILE', count: 'one', completes: 'file' }, ...servers],
    options: { timeout },
    examples: {
      'testfleet save images.tar': 'Save the images of all servers, and build and pull those that are missing',
      'testfleet save - db | gzip > db.tar.gz': 'Write the archive of db to standard output',
    },
  },
  load: {
    summary: 'load images from an archive of save',
    operands: [{ name: 'FILE', count: 'one', completes: 'file' }],
    options: { timeout },
    examples: {
      'testfleet load images.tar': 'Load the images that the engine lacks',
      'testfleet load - < db.tar.gz': 'Load an archive from standard input, which may be compressed',
    },
  },
  up: {
    summary: 'build and start servers, wait for them, print endpoints',
    operands: servers,
    options: {
      bind,
      keep,
      ttl: text('TIME', 'Remove the session after this time, such as 90m', { default: 'never' }),
      timeout,
      bundle,
      timeline,
    },
    examples: {
      'testfleet up': 'Bring up the whole fleet; a second up changes only what changed',
      'testfleet up db --ttl 90m': 'Bring up db and what it depends on, for 90 minutes',
      'testfleet up --timeline up.html': 'Write a page that shows where the time went',
    },
  },
  run: {
    summary: 'bring up a new session, run a command in it, take it down',
    command: 'required',
    options: {
      server: {
        ...text('SERVER', 'Only this server and what it depends on; repeat it for more', { completes: 'server' }),
        multiple: true,
      },
      session: text('NAME', 'Name of the new session, which must not exist', { default: 'a new name' }),
      shards: text(
        'N',
        'Run CMD N times at once, each in its own session: {shard} and {shards} in its words are the number of each, from 1 on, and N',
      ),
      bind,
      standby: { ...flag('Start servers even if a standby copy is ready'), isNegated: true },
      keep,
      debug: flag('When CMD or the start fails, keep the session until you have looked around'),
      timeout: text('TIME', 'Longest time until the command starts, such as 90s', { default: '30m' }),
      names,
      trust,
      bundle,
      'attach-logs': attachLogs,
      timeline,
    },
    examples: {
      'testfleet run -- npm test': 'Run the tests against a new fleet',
      'testfleet run --attach-logs test-logs -- npm test':
        'Write the logs of the servers into a folder when the tests fail',
      'testfleet run --shards 4 -- npx vitest run --shard={shard}/{shards}':
        'Run a quarter of the tests in each of four sessions at once',
      'testfleet run --debug -- npm test': 'Look around in the fleet when the tests fail',
    },
  },
  warm: {
    summary: 'hold ready copies of the fleet, which run takes',
    options: {
      standby: text('N', 'How many copies', { default: '`standby` of the fleet file, or 1' }),
      idle: text('TIME', 'Remove the copies when none was taken for this time, from 1s to 24h', { default: '30m' }),
      memory: text('SIZE', 'Most memory of all copies together, such as 2g', {
        default: "half of the engine's memory",
      }),
      stop: flag('Remove the copies'),
    },
    examples: {
      'testfleet warm --standby 2': 'Hold two copies ready',
      'testfleet warm --stop': 'Remove them',
    },
  },
  join: {
    summary: 'run a command with the variables and names of a session',
    command: 'optional',
    options: {
      names,
      trust,
      'attach-logs': attachLogs,
      pid: text('PID', 'Without CMD: hold the session until this process ends', { default: 'the calling process' }),
    },
    examples: {
      'testfleet join -- pytest': 'Run tests against the session that is up',
      'testfleet join': 'Hold the session until the calling process ends',
    },
  },
  share: {
    summary: 'join the session of this test run, or start it',
    operands: servers,
    options: {
      bind,
      keep,
      pid: text('PID', 'Process that holds the session: the test runner', { default: 'the calling process' }),
      lender: flag('Start the process that lends servers, for clients of other languages'),
      timeout,
      bundle,
      timeline,
    },
    examples: {
      'testfleet share --pid 4711 --json': 'Start the fleet of that process, or join it if another call has started it',
    },
  },
  lease: {
    summary: 'run a command with pristine servers that nobody else has',
    operands: [{ name: 'SERVER', count: 'some', completes: 'server' }],
    command: 'required',
    options: {
      timeout: text('TIME', 'Longest wait for a pristine server, such as 90s', { default: '1m' }),
      names,
      trust,
    },
    examples: {
      'testfleet lease db -- pytest -k orders': 'Run tests against a copy of db, in the session that is up',
    },
  },
  release: {
    summary: 'end the hold of a join without a command',
    options: { pid: text('PID', 'The process', { default: 'the calling process' }) },
    examples: { 'testfleet release': 'End what `testfleet join` began' },
  },
  down: {
    summary: 'remove a session',
    options: { force: flag('Even if a join or a run holds the session') },
    examples: { 'testfleet down': 'Remove the servers, networks and volumes of this session' },
  },
} satisfies Commands
