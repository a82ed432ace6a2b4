import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import {
  makeFleetFolder,
  type RunningCommand,
  removeFleetFolders,
  SOON_MS,
  startTestfleet,
  waitForNothing,
} from '../support/command.ts'
import { lineServer, tell } from '../support/line-server.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

/** Stands for the command: a lease whose variables have quotes and lines, a long log, and a start that fails. */
const fakeCommand = `#!/bin/sh
case $1 in
  lease)
    ls "$TMPDIR" >&2
    while [ "$1" != -- ]; do shift; done
    shift
    export TESTFLEET_LEASES=pool/db-1 TESTFLEET_LEASED='QUOTED EMPTY'
    QUOTED="it's
two '' lines
# end
Z" EMPTY= OTHER=changed exec "$@" ;;
  why) echo 'db has ended'; exit 1 ;;
  logs)
    echo 'web | 2026-11-30T14:00:04.4Z too early'
    echo 'web | 2026-11-30T14:00:04.51Z of web'
    awk 'BEGIN { while (i++ < 5000) print "db | 2026-11-30T14:00:05Z a line of db, number " i }'
    echo 'half a line without a time'
    exit 1 ;;
  share)
    if [ "$SHARE" ]; then printf '{\\n  "session": "shop"\\n}\\n'; exit; fi
    printf '{\\n  "code": "START_FAILED"\\n}\\n'
    exit 1 ;;
  endpoints) echo export TESTFLEET_SESSION=shop ;;
  down)
    printf '{\\n  "code": "ENGINE_LOST"\\n}\\n'
    exit 1 ;;
esac
`

/** Needs bats, which tools/setup.sh installs. */
const root = join(import.meta.dirname, '../..')
const library = join(root, 'clients/bats/testfleet')
let environment: Readonly<Record<string, string | undefined>>

beforeAll(async () => {
  environment = { ...(await clientEnvironment()), TESTFLEET_SESSION: undefined, BATS_LIB_PATH: join(root, 'clients') }
})
afterAll(removeFleetFolders)

function start(folder: string, words: readonly string[], program = 'bats'): RunningCommand {
  return startTestfleet([], { prefix: [program, ...words], isBare: true, cwd: folder, env: environment })
}

const head = `
setup() { load '${library}'; }
teardown() { testfleet_teardown; }
${tell}
`
const files = {
  'setup_suite.bash': `
setup_suite() {
  load '${library}'
  testfleet_share
  export SHARED_AT=$TESTFLEET_WEB_PORT
}
teardown_suite() { testfleet_down; }
`,
  'a.bats': `${head}
@test "passes" { tell before; }
@test "fails" {
  tell during
  testfleet_lease web
  echo "session $TESTFLEET_SESSION lease $TESTFLEET_LEASES"
  [ "$TESTFLEET_WEB_PORT" = "$SHARED_AT" ]
}
@test "is skipped" { skip "not today"; }
`,
  'b.bats': `${head}
@test "leases a copy that no other test has, and uses the fleet of the other file" {
  testfleet_lease web
  [ "$TESTFLEET_WEB_PORT" != "$SHARED_AT" ]
  testfleet_lease web
  [ "\${TESTFLEET_LEASES% *}" != "\${TESTFLEET_LEASES#* }" ]
  run testfleet_lease nobody
  [ "$status" = 1 ]
  [[ $output = *'error: there is no server \`nobody\`'*'The servers are: web.'* ]]
}
`,
  'wait.sh': `. '${root}/clients/shell/testfleet.sh'
testfleet_share && testfleet_lease web && echo >began-sh && sleep 600
`,
  'wait/wait.bats': `
setup_file() { load '${library}'; testfleet_share; }
setup() { bats_load_library bats/testfleet.bash; testfleet_lease web; }
@test "waits" { echo >began-bats; sleep 600; }
`,
}

async function makeProject(): Promise<StoryFleet> {
  return makeFleet({ web: { ...lineServer, pool: 2 } }, files)
}

describe('the functions for bats and sh', () => {
  test('run the example as its page shows it', async () => {
    const { exitCode, stdout } = await start(join(root, 'examples/bats'), ['.']).result
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^1\.\.2\nok 1 .*\nok 2 .*\n$/)])
    const page = await readFile(join(root, 'docs/bats.md'), 'utf8')
    const sample = await readFile(join(root, 'examples/bats/orders.bats'), 'utf8')
    const shown = sample.replaceAll('../../', 'node_modules/testfleet/')
    for (const part of shown.split(/\n\n(?=@test "a)/)) expect(page).toContain(part.trim())
    await waitForNothing('bats-sample')
  })

  test('share a fleet among files, lease, show the logs of the time of a failed test, and leave nothing when they are killed', async () => {
    const fleet = await makeProject()
    const killed = [start(fleet.folder, ['wait']), start(fleet.folder, ['wait.sh'], 'sh')]
    const words = existsSync('/usr/bin/parallel') ? ['--jobs', '2', fleet.folder] : [fleet.folder]
    // The fleet file is found in the folder of the tests.
    const { exitCode, stdout, stderr } = await start(tmpdir(), words).result
    expect(exitCode, stdout + stderr).toBe(1)
    expect(stdout).toMatch(/^ok 1 passes\nnot ok 2 fails\n[\s\S]*\nok 3 is skipped # skip not today\nok 4 leases/m)
    expect(stdout).toMatch(
      new RegExp(`^# session ${fleet.name}-\\w{7} lease ${fleet.name}-\\w+-pool-\\w+/web-\\d$`, 'm'),
    )
    expect(stdout).toMatch(/^# ---- log of web ----\n# \d{4}-\S+Z got during$/m)
    expect(stdout).not.toContain('got before')
    const began = ['began-bats', 'began-sh'].map((name) => join(fleet.folder, name))
    await vi.waitFor(() => expect(began.filter((path) => existsSync(path))).toEqual(began), { timeout: SOON_MS })
    for (const one of killed) one.kill('SIGKILL')
    await waitForNothing(fleet.name)
  })

  test('keep the values of a lease as they are, and bound the logs that they show', async () => {
    const script = `. '${root}/clients/shell/testfleet.sh'
      OTHER=kept QUOTED=shared
      testfleet_lease db || exit
      printf '%s|%s|%s|%s\\n' "$QUOTED" "$EMPTY" "$OTHER" "$TESTFLEET_LEASES"
      TESTFLEET_SESSION=s TESTFLEET_LEASES=
      testfleet_story 2026-11-30T14:00:04.500Z
      echo ---- of a second
      testfleet_story 2026-11-30T14:00:04Z | grep early
      output=$(testfleet_lease db 2>&1)
      printf 'all of it: <%s>\\n' "$output"
      unset TESTFLEET_SESSION
      set -u
      testfleet_share || testfleet_down
      echo "$? $testfleet_failure"
      export SHARE=1
      testfleet_share && testfleet_down
      echo "$? $testfleet_failure <\${TESTFLEET_SESSION-}>"`
    const folder = await makeFleetFolder({ testfleet: fakeCommand, 'script.sh': script, 'tmp/.keep': '' })
    await chmod(join(folder, 'testfleet'), 0o755)
    const env = { ...environment, TESTFLEET_BIN: './testfleet', TMPDIR: join(folder, 'tmp') }
    for (const shell of ['sh', 'bash']) {
      const { stdout, stderr } = await startTestfleet([], {
        prefix: [shell, 'script.sh'],
        isBare: true,
        cwd: folder,
        env,
      }).result
      const [logs = '', rest] = stdout.split('---- of a second\n')
      const [values, web, db = ''] = logs.split(/^---- log of .* ----\n/m)
      expect([values, web, rest, stderr]).toEqual([
        "it's\ntwo '' lines\n# end\nZ||kept|pool/db-1\ndb has ended\n",
        '2026-11-30T14:00:04.51Z of web\n',
        '2026-11-30T14:00:04.4Z too early\nall of it: <>\n0 START_FAILED\n1 ENGINE_LOST <>\n',
        '',
      ])
      expect(db).toMatch(/^…\n2026-11-30T14:00:05Z a line of db, number \d+\n/)
      expect(db).toMatch(/number 5000\n$/)
      expect(db.length).toBeGreaterThan(60_000)
      expect(db.length).toBeLessThan(66_000)
      expect(logs).toContain('the logs could not be read to their end')
    }
  })

  test('find the command in a relative folder of the PATH, and end no process that has the number of a lease', async () => {
    const script = `
      . '${root}/clients/shell/testfleet.sh'
      unset TESTFLEET_BIN
      PATH=bin:$PATH
      _testfleet_find
      TESTFLEET_BIN=testfleet
      _testfleet_find
      sleep 600 &
      other=$!
      sh -c 'trap "exit 143" TERM; : >ready; while :; do sleep 0.1; done' 'of testfleet-lease-y' &
      holder=$!
      until [ -e ready ]; do sleep 0.1; done
      _testfleet_holders=" $other:testfleet-lease-x $holder:testfleet-lease-y"
      testfleet_release
      wait "$holder" || echo "ended by $?"
      kill "$other" && echo alive
    `
    // Not on the command line, which the processes have until they become their programs.
    const folder = await makeFleetFolder({ 'release.sh': script })
    await mkdir(join(folder, 'bin'))
    await copyFile('/bin/true', join(folder, 'bin/testfleet'))
    const result = await start(folder, ['release.sh'], 'sh').result
    const path = `${folder}/bin/testfleet`
    expect(result.stdout.split('\n')).toEqual([path, path, 'ended by 143', 'alive', ''])
  })

  test('say what is missing in a lease without a fleet, and in one without a name', async () => {
    const fleet = await makeProject()
    const script = `. '${root}/clients/shell/testfleet.sh'
testfleet_lease web; echo "$testfleet_failure"; testfleet_lease; echo "$testfleet_failure"`
    const { stdout, stderr } = await start(fleet.folder, ['-c', script], 'sh').result
    expect(stdout).toBe('NO_SESSION\nUSAGE\n')
    expect(stderr).toMatch(
      /^error: there is no session .*\nhint: Call `testfleet_share` first: with bats, in `setup_suite` or `setup_file`\.\nerror: /,
    )
    expect(stderr).toMatch(/^error: testfleet_lease needs the name of a server\nhint: .*`testfleet_lease db`\.$/m)
  })

  test('lease under run of bats', async () => {
    const folder = await makeFleetFolder({
      testfleet: fakeCommand,
      'a.bats': `${head}
@test "leases" {
  run testfleet_lease db
  [ "$status" = 0 ]
  testfleet_lease db | cat
}`,
    })
    await chmod(join(folder, 'testfleet'), 0o755)
    const env = { ...environment, TESTFLEET_BIN: join(folder, 'testfleet') }
    const { exitCode, stdout, stderr } = await startTestfleet([], {
      prefix: ['bats', 'a.bats'],
      isBare: true,
      cwd: folder,
      env,
    }).result
    expect(exitCode, stdout + stderr).toBe(0)
  })

  test('that are killed at any moment leave nothing', wide, async () => {
    const fleet = await makeProject()
    const killed: RunningCommand[] = []
    for (let round = 0; round < 20; round++) {
      const running = start(fleet.folder, ['.', 'wait'])
      await sleep(round * 300)
      running.kill('SIGKILL')
      killed.push(running)
    }
    await Promise.all(killed.map(({ result }) => result))
    await waitForNothing(fleet.name)
  })
})
