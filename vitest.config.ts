import { defineConfig } from 'vitest/config'
import { SlowFirst } from './tools/test/slow-first.ts'

const minute = 60_000

/** Node itself loads the source, as in a call from source: no file goes through a transformation in a second process. */
const loadedByNode = {
  experimental: { viteModuleRunner: false, nodeLoader: false },
  execArgv: ['--import', new URL('tools/test/compile-cache.ts', import.meta.url).href],
}

/**
 * They need no engine, and try thousands of files or the whole catalogue, load a compiler or a large schema, start programs,
 * or wait for peers on sockets: they take longer than a unit's tests may.
 */
const wholeHouse = [
  'src/{catalogue,input-stays-data,pages-show-what-works,audit/audit,audit/rules,config/presets,cli/{config,init,presets}}.test.ts',
  'src/{names/node-hook,engine/docker/reopen-engine,supply/bill-of-materials}.test.ts',
  'src/engine/docker/{connect,credentials,deadline,retry}.test.ts',
  'src/ready/{probes,refusal,wait-until-ready,protocols/protocols}.test.ts',
  'src/{endpoints/format-environment,integrations/pending}.test.ts',
  'src/runtime/processes/exec-process.test.ts',
  'tools/build/{flatten-types,launcher,library-types,validator,schema-to-type}.test.ts',
  'tools/api-reference/render-name.test.ts',
]

/** Tests of real servers take as long as these need; a limit ends what hangs, and is never the way to wait. */
export default defineConfig({
  test: {
    // A test that passes at the second try hides a race.
    retry: 0,
    sequence: { sequencer: SlowFirst },
    tags: [{ name: 'wide', description: 'says again, in another way, what another test says' }],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: wholeHouse,
          // A busy machine gives a test little of its time; nothing here waits that long.
          testTimeout: minute,
          hookTimeout: minute,
          expect: { poll: { timeout: minute, interval: 5 } },
          // A third of their time went into loading the same source again.
          isolate: false,
          ...loadedByNode,
          // Some wait for a time limit: more workers than cores use that time. Each loads most of the source again.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          ...loadedByNode,
          include: ['tests/integration/**/*.test.ts', ...wholeHouse],
          testTimeout: 2 * minute,
          hookTimeout: 5 * minute,
          expect: { poll: { timeout: minute } },
          // A new process for each file costs more than what it would keep apart: their files undo what they change.
          isolate: false,
          // They share one engine, and mostly wait for it.
          maxWorkers: 3,
          maxConcurrency: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          // For tests that are declared as concurrent.
          maxConcurrency: 3,
          include: ['tests/e2e/**/*.test.ts'],
          setupFiles: ['tests/support/after-each-file.ts'],
          testTimeout: 5 * minute,
          hookTimeout: 10 * minute,
          expect: { poll: { timeout: minute } },
          // A new process for each file loads the command and the tests' support again. Their files undo what they change.
          isolate: false,
          // They mostly wait for the engine and for containers: three leave a processor idle once they are alone.
          maxWorkers: 5,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'catalogue',
          include: ['tests/catalogue/**/*.test.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 20 * minute,
          expect: { poll: { timeout: minute } },
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'fault',
          // What a fault leaves behind must not keep a command's process from ending.
          env: { TESTFLEET_TEST_COLD: '1' },
          // Most of such a test is waiting, for what hangs and for keepers.
          maxConcurrency: 4,
          include: ['tests/fault/**/*.test.ts'],
          testTimeout: 60 * minute,
          hookTimeout: 10 * minute,
          expect: { poll: { timeout: minute } },
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
