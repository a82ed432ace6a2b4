import { type Commands, oneServer } from './command.ts'
import { flag, timeout } from './options.ts'

const force = flag('Even if a join or a run holds the session')

/** Commands that bring a server into an earlier state, under the same endpoint. */
export const stateCommands = {
  reset: {
    summary: 'make a server pristine, under the same endpoint',
    operands: oneServer,
    options: { force, timeout },
    examples: { 'testfleet reset cache': 'Bring cache back to the state in which it became ready' },
  },
  snapshot: {
    summary: 'save the state of a server under a name',
    operands: [...oneServer, { name: 'NAME', count: 'optional' }],
    options: { remove: flag('Remove the snapshot'), force, timeout },
    examples: {
      'testfleet snapshot db seeded': 'Save the state of db as seeded; db is stopped and started again',
      'testfleet snapshot db': 'List the snapshots of db',
      'testfleet snapshot db seeded --remove': 'Remove one; `testfleet down` removes all',
    },
  },
  restore: {
    summary: 'bring a server back to the state of a snapshot',
    operands: [...oneServer, { name: 'NAME', count: 'one' }],
    options: { force, timeout },
    examples: { 'testfleet restore db seeded': 'Bring db back to the state seeded, under the same endpoint' },
  },
} satisfies Commands
