import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import {
  type CommandResult,
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

/** Needs cmake, ctest and g++, which tools/setup.sh installs. */
const root = join(import.meta.dirname, '../..')
const prefix = `-DCMAKE_PREFIX_PATH=${join(root, 'clients')}`
let environment: Readonly<Record<string, string | undefined>>

beforeAll(async () => {
  environment = { ...(await clientEnvironment()), TESTFLEET_SESSION: undefined }
})
afterAll(removeFleetFolders)

function start(program: string, folder: string, words: readonly string[], env = environment): RunningCommand {
  return startTestfleet([], { prefix: [program, ...words], isBare: true, cwd: folder, env, timeoutMs: 300_000 })
}

async function done(program: string, folder: string, ...words: string[]): Promise<CommandResult> {
  const result = await start(program, folder, words).result
  expect(result.exitCode, result.stdout + result.stderr).toBe(0)
  return result
}

const head = `cmake_minimum_required(VERSION 3.19)
project(tests NONE)
enable_testing()
find_package(Testfleet REQUIRED)
`

/** Tests whose commands are scripts, so that nothing has to be compiled. */
const tests = `${head}
function(script name text)
  file(WRITE "\${CMAKE_BINARY_DIR}/\${name}.sh" "\${text}")
  add_test(NAME \${name} COMMAND sh "\${CMAKE_BINARY_DIR}/\${name}.sh" \${ARGN})
endfunction()
set(tell [==[${tell}]==])
script(before "\${tell} tell before")
script(fails "\${tell} tell during; exit 1")
script(crashes "kill -SEGV $$")
script(skipped "exit 77")
script(expected "exit 1")
script(hangs "sleep 600")
script(joined [==[echo "joined $TESTFLEET_SESSION"; exit 1]==])
script(leases [==[test "$TESTFLEET_LEASES" && test "$TESTFLEET_WEB_HOSTNAME" = "\${TESTFLEET_LEASES#*/}.\${TESTFLEET_WEB_HOSTNAME#*.}"]==])
add_test(NAME words COMMAND sh -c [==[test "$#$1$2$3" = "3a;bc d"]==] words "a;b" "" "c d")
set_tests_properties(fails PROPERTIES DEPENDS before)
set_tests_properties(skipped PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(expected PROPERTIES WILL_FAIL TRUE)
set_tests_properties(hangs PROPERTIES TIMEOUT 5)
testfleet_add_fixture(NAME web TESTS before fails crashes skipped expected hangs words joined)
add_subdirectory(below)
testfleet_use_fixture(NAME web TESTS leases LEASE web LOCK web)
# As gtest_discover_tests does it.
file(WRITE "\${CMAKE_BINARY_DIR}/found.cmake" [==[add_test(found /bin/sh -c "test $TESTFLEET_WEB_PORT")]==])
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "\${CMAKE_BINARY_DIR}/found.cmake")
add_executable(shell IMPORTED)
set_property(TARGET shell PROPERTY IMPORTED_LOCATION /bin/sh)
testfleet_use_fixture(NAME web TARGETS shell)
add_test(NAME emulated COMMAND env WORD=1 $<TARGET_FILE:shell> -c [==[test "$WORD$TESTFLEET_WEB_PORT"]==])
`
const below = `
file(WRITE "\${CMAKE_CURRENT_BINARY_DIR}/waits.sh" [==[echo "$$ $TESTFLEET_SESSION" >"$1"; exec sleep 600]==])
add_test(NAME waits COMMAND sh waits.sh "\${CMAKE_BINARY_DIR}/began")
testfleet_use_fixture(NAME web TESTS waits)
`

async function makeProject(): Promise<StoryFleet> {
  const fleet = await makeFleet({ web: lineServer }, { 'CMakeLists.txt': tests })
  await mkdir(join(fleet.folder, 'below'))
  await writeFile(join(fleet.folder, 'below/CMakeLists.txt'), below)
  await Promise.all(['a', 'b'].map((build) => done('cmake', fleet.folder, '-B', build, prefix)))
  return fleet
}

/** Waits for a file with a session, and runs a test in that session, as docs/cmake.md and docs/recipes.md say. */
async function joinAfter(began: string): Promise<string> {
  const [, session = ''] = await vi.waitFor(async () => (await readFile(began, 'utf8')).trim().split(' '), {
    timeout: SOON_MS,
  })
  const words = `-FA web -E ^web-(setup|cleanup)$`
  for (const page of ['cmake', 'recipes']) {
    expect(await readFile(join(root, `docs/${page}.md`), 'utf8')).toContain("-FA web -E '^web-(setup|cleanup)$'")
  }
  const env = { ...environment, TESTFLEET_SESSION: session }
  return (
    await start('ctest', dirname(began), ['--output-on-failure', ...words.split(' '), '-R', 'joined'], env).result
  ).stdout
}

describe('the package for CMake', () => {
  test('runs the example as its page shows it', async () => {
    const folder = join(root, 'examples/cmake')
    const build = join(await makeFleetFolder({}), 'build')
    await done('cmake', folder, '-B', build, prefix)
    await done('cmake', folder, '--build', build)
    const { stdout } = await done('ctest', build, '-j2', '--output-on-failure')
    expect(stdout).toContain('100% tests passed, 0 tests failed out of 4')
    await waitForNothing('cmake-sample')
    const page = await readFile(join(root, 'docs/cmake.md'), 'utf8')
    expect(page).toContain(await readFile(join(folder, 'CMakeLists.txt'), 'utf8'))
  })

  test(
    'keeps what CTest says of tests, shows logs of failed ones, and leaves nothing, even of a run that is killed',
    wide,
    async () => {
      const fleet = await makeProject()
      const other = start('ctest', join(fleet.folder, 'b'), ['-R', 'waits'])
      const began = join(fleet.folder, 'b/began')
      const joined = joinAfter(began)
      const { stdout } = await start('ctest', join(fleet.folder, 'a'), [
        ...['-j3', '--output-on-failure', '-E', 'waits|joined'],
      ]).result
      const statuses = [...stdout.matchAll(/Test +#\d+: (\S+) \.*[ *]*([A-Za-z]+)/g)].map(([, ...one]) => one)
      expect(Object.fromEntries(statuses), stdout).toEqual({
        ...{ 'web-setup': 'Passed', before: 'Passed', fails: 'Failed', crashes: 'Exception', skipped: 'Skipped' },
        ...{
          expected: 'Passed',
          hangs: 'Timeout',
          leases: 'Passed',
          words: 'Passed',
          found: 'Passed',
          emulated: 'Passed',
          'web-cleanup': 'Passed',
        },
      })
      const shown = /: fails [\s\S]*?==== servers during this test [\s\S]*?(?=\n\n)/.exec(stdout)?.[0]
      expect(shown).toMatch(/^---- log of web ----$/m)
      expect(shown).toMatch(/^\d{4}-\S+Z got during$/m)
      expect(shown).not.toContain('got before')
      const log = await readFile(join(fleet.folder, 'a/Testing/Temporary/LastTest.log'), 'utf8')
      // CTest of Debian 12 kills a test that takes too long.
      if (/\*Timeout +\d/.test(stdout)) expect(log).toContain('the test hangs was killed')
      // A run in another build folder had another session. Its test ends with CTest.
      const alone = await joined
      other.kill('SIGKILL')
      const [pid, session] = (await readFile(began, 'utf8')).trim().split(' ')
      expect(session).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{7}$`))
      expect(log).not.toContain(`session ${session}`)
      // Without the fixture, a test joins the session that it gets.
      expect(alone).toMatch(/tests passed, 1 tests failed out of 1$/m)
      expect(alone).toContain(`joined ${session}\n`)
      expect(alone).toContain(`servers logged nothing during this test (session ${session})\n`)
      await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: SOON_MS })
      await waitForNothing(fleet.name)
    },
  )

  test('that is killed at any moment leaves nothing', wide, async () => {
    const fleet = await makeProject()
    const killed: RunningCommand[] = []
    for (let round = 0; round < 20; round++) {
      const running = start('ctest', join(fleet.folder, round % 2 === 0 ? 'a' : 'b'), ['-j2', '-R', 'waits|leases'])
      await sleep(round * 300)
      running.kill('SIGKILL')
      killed.push(running)
    }
    await Promise.all(killed.map(({ result }) => result))
    await waitForNothing(fleet.name)
  })
})

/** Stands for the command: a session or a lease with a log that names its copy. */
const fakeCommand = `#!/bin/sh
case $1 in
  join | lease)
    while [ "$1" != -- ]; do shift; done
    shift
    export TESTFLEET_SESSION=of-$ME TESTFLEET_LEASES=pool/$ME
    exec "$@" ;;
  logs) echo "$3 | 2999-01-01T00:00:00Z of $3 $*" ;;
esac
`

test('runs of one test at the same time have the logs of their own sessions and leases', async () => {
  const folder = await makeFleetFolder({ testfleet: fakeCommand })
  await chmod(join(folder, 'testfleet'), 0o755)
  const command = 'echo >$ME; until [ -e one ] && [ -e two ]; do sleep 0.05; done; exit 3'
  const run = async (me: string, leases: string): Promise<string> => {
    const words = ['test', join(folder, 'testfleet'), 'file', join(folder, 'state'), 'auto', leases, 'a.log', 'a']
    const script = join(root, 'clients/cmake/testfleet-ctest.sh')
    const env = { ...environment, ME: me }
    const result = await start('sh', folder, [script, ...words, 'sh', '-c', command], env).result
    expect(result.exitCode, result.stderr).toBe(3)
    return result.stdout
  }
  const [one, two] = await Promise.all([run('one', 'web'), run('two', '-')])
  expect(one).toMatch(/of of-one logs --session of-one [\s\S]* of pool logs --session pool .* one$/m)
  expect(two).toMatch(/of of-two logs --session of-two /)
  expect(one).not.toContain('two')
  expect(two).not.toContain('one')
  expect(await readFile(join(folder, 'state/logs/a.log'), 'utf8')).toMatch(/^---- log of of-(one|two) ----\n/)
  expect(await readdir(join(folder, 'state/running'))).toEqual([])
})

test('tests whose names differ only in signs have logs of their own', async () => {
  const folder = await makeFleetFolder({
    'names.cmake': `include(${join(root, 'clients/cmake/testfleet-name-log.cmake')})
      foreach(test a_b a/b "a b")
        testfleet_name_log("\${test}" log)
        message("\${log}")
      endforeach()`,
  })
  const { stderr } = await done('cmake', folder, '-P', 'names.cmake')
  expect(stderr).toMatch(/^a_b\.log\na_b-[0-9a-f]{8}\.log\na_b-[0-9a-f]{8}\.log\n$/)
  expect(new Set(stderr.trim().split('\n')).size).toBe(3)
})

const fixture = 'testfleet_add_fixture(NAME web '
const mistakes = [
  [`${fixture}SERVERS wbe)`, /SERVERS has "wbe", but \S+testfleet\.json has no such server; it has web /],
  [`${fixture}SERVERS web web)`, /testfleet_add_fixture: SERVERS has "web" twice: name each server once/],
  [`${fixture}FILE fleet.yaml)`, /FILE is fleet\.yaml, but there is no such file in \S+: write it, or correct FILE/],
  [`${fixture}LOCK a)`, /testfleet_add_fixture: LEASE and LOCK need TESTS or TARGETS; give them to other tests/],
  [
    `${fixture}TESTS one)`,
    /testfleet_add_fixture: there is no test one in this directory: call add_test\(NAME one …\) before, in the same CMakeLists/,
  ],
  [`${fixture}SERVER web)`, /testfleet_add_fixture: it does not know "SERVER;web"; its keywords are NAME;FILE/],
  ['testfleet_use_fixture(NAME wbe TESTS one)', /there is no fixture "wbe": add it before/],
  ['unset(ENV{NOTHING})', /TESTFLEET_BIN is not a program: \/nowhere; install it, or set TESTFLEET_BIN/],
] as const

test('what is wrong in CMakeLists.txt is an error of cmake that says what to do', async () => {
  const fleet = await makeFleet({ web: lineServer })
  const run = async ([line]: (typeof mistakes)[number]): Promise<CommandResult> => {
    const folder = await makeFleetFolder({ 'CMakeLists.txt': head + line })
    await writeFile(join(folder, 'testfleet.json'), await readFile(join(fleet.folder, 'testfleet.json')))
    const env = line.startsWith('unset') ? { ...environment, TESTFLEET_BIN: '/nowhere' } : environment
    return start('cmake', folder, ['-B', 'build', prefix], env).result
  }
  const results = await Promise.all(mistakes.map(run))
  for (const [index, [, message]] of mistakes.entries()) {
    expect(results[index]?.exitCode).toBe(1)
    // cmake breaks long lines.
    expect(results[index]?.stderr.replaceAll(/\s*\n\s*/g, ' ')).toMatch(message)
  }
})

test('a wrong TESTFLEET_BIN is not kept, and a relative one is found as a shell would find it', async () => {
  const { TESTFLEET_BIN = '' } = environment
  const find = `cmake_minimum_required(VERSION 3.19)\nproject(tests NONE)\nfind_package(Testfleet)\nmessage("found \${TESTFLEET_BIN}")\n`
  const folder = await makeFleetFolder({ 'CMakeLists.txt': find })
  const search = `${dirname(TESTFLEET_BIN)}:${process.env.PATH}`
  const configure = async (own: object, build = 'build'): Promise<string> => {
    const result = await start('cmake', folder, ['-B', build, prefix], { ...environment, ...own }).result
    return result.stderr
  }
  expect(await configure({ TESTFLEET_BIN: '/nowhere' })).toContain('TESTFLEET_BIN is not a program: /nowhere;')
  expect(await configure({})).toContain(`found ${TESTFLEET_BIN}\n`)
  // The choice is kept.
  expect(await configure({ TESTFLEET_BIN: '/nowhere' })).toContain(`found ${TESTFLEET_BIN}\n`)
  expect(await configure({ TESTFLEET_BIN: 'testfleet', PATH: search }, 'named')).toContain(`found ${TESTFLEET_BIN}\n`)
  const below = { TESTFLEET_BIN: relative(folder, TESTFLEET_BIN), PWD: folder }
  expect(await configure(below, 'below')).toContain(`found ${TESTFLEET_BIN}\n`)
  expect(await configure({ TESTFLEET_BIN: 'no-such-program' }, 'none')).toContain('is not a program: no-such-program;')
})
