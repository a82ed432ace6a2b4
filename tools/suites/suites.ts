/** The own test suite of a client library, and how it is run with a fleet. */
export interface Suite {
  /** Where its source is. */
  readonly repository: string
  /** The command of the library's own manifest, with the options that start the fleet. The first word is in `node_modules/.bin`. */
  readonly command: readonly string[]
  /** What the suite reads in addition to the variables of the fleet. */
  readonly environment?: Readonly<Record<string, string>>
  /** What has to be there before the suite runs, other than its packages. */
  readonly needs?: string
}

const mocha = ['mocha', '--require', './testfleet-setup.mjs']
const vitest = ['vitest', 'run', '--config', 'testfleet.config.mjs']

/** Titles of tests that connect to machines outside of this one. They are left out. */
const outside = {
  memcached: 'should return error on connection timeout|should reset failures if all failures do not occur',
  mariadb: 'connection error|connection timeout|Streaming url content|Mutual authentication without providing client',
  sftp: 'bad host',
}

/** By name, which is also the folder with its fleet and its setup. */
export const suites: Readonly<Record<string, Suite>> = {
  amqplib: {
    repository: 'https://github.com/amqp-node/amqplib',
    command: ['node', '--test', '--test-timeout=1000', '--test-global-setup=./testfleet-setup.mjs'],
  },
  etcd3: {
    repository: 'https://github.com/microsoft/etcd3',
    command: mocha,
    environment: { ETCD_VERSION: '3.4.23' },
  },
  ioredis: {
    repository: 'https://github.com/redis/ioredis',
    command: [
      ...[...mocha, '--no-experimental-strip-types'],
      ...['test/helpers/*.ts', 'test/unit/**/*.ts', 'test/functional/**/*.ts'],
    ],
    environment: { TS_NODE_TRANSPILE_ONLY: 'true', NODE_ENV: 'test' },
  },
  ldapts: {
    repository: 'https://github.com/ldapts/ldapts',
    command: vitest,
    needs: 'the package vitest, whose functions Vite+ has under another name',
  },
  mariadb: {
    repository: 'https://github.com/mariadb-corporation/mariadb-connector-nodejs',
    command: [...vitest, '--no-file-parallelism', '--isolate', '-t', `^(?!.*(${outside.mariadb})).*$`],
  },
  memcached: {
    repository: 'https://github.com/3rd-Eden/memcached',
    command: [...mocha, '--require', 'should', '--grep', outside.memcached, '--invert', '--exit', 'test/*.test.js'],
  },
  'pg-boss': { repository: 'https://github.com/timgit/pg-boss', command: vitest },
  'ssh2-sftp-client': {
    repository: 'https://github.com/theophilusx/ssh2-sftp-client',
    command: [...mocha, '--grep', `${outside.sftp}|Connect with key`, '--invert'],
    environment: { TEST_SERVER: 'unix', TEST_DELAY: '0', LOCAL_URL: './test/testData' },
    needs: 'a user other than root, and a folder that is named ssh2-sftp-client',
  },
  'xmpp.js': {
    repository: 'https://github.com/xmppjs/xmpp.js',
    command: ['jest', '--forceExit', '--runInBand', '--config', 'testfleet.config.cjs'],
    environment: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  },
}
