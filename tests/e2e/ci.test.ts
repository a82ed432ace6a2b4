import { execFile } from 'node:child_process'
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { countLeftovers, mainFile, removeFleetFolders } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { type ActionResult, type Job, runAction, startJobProcess } from '../support/run-action.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const root = join(import.meta.dirname, '../..')
let fleet: StoryFleet
let env: Record<string, string>

beforeAll(async () => {
  const server = {
    command: ['sh', '-c', 'cat /hello; until [ -e /tmp/end ]; do sleep 0.1; done; exit 3'],
    stopSignal: 'SIGKILL',
  }
  fleet = await makeFleet({
    web: {
      ...server,
      build: { copy: [{ content: 'hello\n', to: '/hello' }] },
      secrets: { KEY: { generate: 24 } },
      export: { WEB_URL: 'http://user:${secret.KEY}@${hostname}/' },
    },
  })
  const bin = join(fleet.folder, 'bin')
  await mkdir(bin)
  await mkdir(join(fleet.folder, 'packages/a'), { recursive: true })
  await putProgram(join(bin, 'testfleet'), `exec '${process.execPath}' '${mainFile}' "$@"`)
  // The packages are there.
  await putProgram(join(bin, 'npm'), '[ "$1" = ci ] || { shift; exec sh ./npm-test "$@"; }')
  await putProgram(join(bin, 'npx'), 'exec "$@"')
  const { PATH, HOME = fleet.folder } = process.env
  env = { PATH: `${bin}:${PATH}`, HOME, RUNNER_TEMP: fleet.folder, RUNNER_OS: 'Linux', GITHUB_JOB: 'test' }
  env.TESTFLEET_STATE_DIR = join(fleet.folder, 'state')
  env.GITHUB_ACTIONS = 'true'
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

async function putProgram(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
}

/** A job on a machine that has no images of the fleet. */
async function runJob(
  inputs: Record<string, string>,
  more: Partial<Job> = {},
  file = 'action.yml',
): Promise<ActionResult> {
  await fleet.done(['rmi'])
  return useAction(inputs, more, file)
}

function useAction(
  inputs: Record<string, string>,
  more: Partial<Job> = {},
  file = 'action.yml',
): Promise<ActionResult> {
  const { folder } = fleet
  return runAction(join(root, file), inputs, { folder, cache: join(folder, 'cache'), env, ...more })
}

test(
  'the action for GitHub builds images once for all jobs, and keeps the logs of a run that failed',
  wide,
  async () => {
    const words = 'pwd; testfleet exec web -- cat /hello; echo "${INPUTS-no inputs}"'
    const first = await runJob({
      run: words,
      'working-directory': 'packages/a',
      file: '../../testfleet.json',
      servers: 'web',
      testfleet: '../../bin/testfleet',
    })
    expect(first).toMatchObject({ failed: false, output: expect.stringMatching(/^web: built in /m), artifacts: {} })
    expect(first.output).toMatch(/\/packages\/a\nhello\nno inputs$/m)
    expect(first.outputs).toEqual({ session: '', 'cache-hit': '' })
    const second = await runJob({ run: 'echo "$WEB_URL" | tail -c 30 >&2; false | true', artifact: 'logs' })
    expect(second.outputs['cache-hit']).toBe('true')
    expect(second.output).toMatch(/^ *loaded +testfleet\//m)
    expect(second.output).not.toMatch(/building|built|saved/)
    expect(second).toMatchObject({ failed: true, artifacts: { logs: ['events.jsonl', 'web.log', 'why.txt'] } })
    expect(second.files.GITHUB_STEP_SUMMARY).toContain('nothing was wrong with the servers')
    expect(await countLeftovers(fleet.name)).toBe(0)
  },
)

test('without a command, the fleet stays for the later steps, and ends with the job', async () => {
  const job = await startJobProcess(join(fleet.folder, 'job-worker'))
  const more = { env: { ...env, TESTFLEET_JOB_PROCESS: 'job-worker' }, runStep: job.runStep }
  const { failed, outputs, output, files } = await useAction({ cache: 'false' }, more)
  expect(failed, output).toBe(false)
  const given = readGitHubVariables(files.GITHUB_ENV ?? '')
  expect(given).toMatchObject({ TESTFLEET_SESSION: outputs.session })
  const [, secret = ''] = /:([^:@]{24})@/.exec(given.WEB_URL ?? '') ?? []
  expect(output).toContain(`::add-mask::${secret}\n`)
  expect(output.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(secret)
  const inSession = ['exec', '--session', outputs.session ?? '', 'web', '--', 'cat', '/hello']
  expect(await fleet.done(inSession)).toMatchObject({ stdout: 'hello\n' })
  job.end()
  await eventually(async () => expect(await countLeftovers(fleet.name)).toBe(0))
})

test('where no process shows how long the job lasts, the fleet is removed by a step, which keeps the logs', async () => {
  const hosts = join(fleet.folder, 'hosts')
  const stale = `172.17.0.9 web.${fleet.name}.test # testfleet job-1\n`
  const others = '127.0.0.1 localhost\n172.17.0.9 db.other.test # testfleet job-2\n'
  await writeFile(hosts, `${stale}${others}`)
  const withHosts = { env: { ...env, TESTFLEET_HOSTS_FILE: hosts } }
  const inputs = { 'cache-limit': '1', 'cache-prefix': 'other', names: 'true' }
  const { failed, outputs, output } = await useAction(inputs, withHosts)
  expect(failed, output).toBe(false)
  // No other job has this fleet.
  expect(outputs.session).toMatch(/^job-[0-9a-f]{8}$/)
  const added = new RegExp(`^(?:[\\d.]+\\s.*\\bweb\\.${fleet.name}\\.test.* # testfleet ${outputs.session}\n)+$`)
  const given = await readFile(hosts, 'utf8')
  expect(given.slice(0, others.length)).toBe(others)
  expect(given.slice(others.length)).toMatch(added)
  expect(output).toMatch(/^::notice title=testfleet::the images are not kept: \d+ MB are more than cache-limit, 1 MB$/m)
  const secret = /^::add-mask::(.{24})$/m.exec(output)?.[1] ?? ''
  const exec = (...words: string[]) => fleet.call(['exec', '--session', outputs.session ?? '', 'web', '--', ...words])
  await exec('touch', '/tmp/end')
  await eventually(async () => expect((await exec('true')).exitCode).not.toBe(0))
  const inSession = { env: { ...withHosts.env, TESTFLEET_SESSION: outputs.session ?? '' } }
  const down = await useAction({ failed: 'true' }, inSession, 'action/down/action.yml')
  expect(down).toMatchObject({
    failed: false,
    files: { GITHUB_STEP_SUMMARY: expect.stringContaining('web ended with exit code 3') },
  })
  expect(down.output).toMatch(/^::error .*title=testfleet why::web /m)
  expect(down.output).not.toContain(secret)
  expect(Object.entries(down.artifacts)).toEqual([
    [expect.stringMatching(/^testfleet-logs-test-[0-9a-f]{6}$/), expect.arrayContaining(['servers.log', 'why.txt'])],
  ])
  expect(await countLeftovers(fleet.name)).toBe(0)
  expect(await readFile(hosts, 'utf8')).toBe(others)
  // Nothing is left to be done.
  expect(await useAction({}, inSession, 'action/down/action.yml')).toMatchObject({ failed: false, artifacts: {} })
})

test('a job whose engine hangs ends its session, with the log until then', async () => {
  const folder = join(fleet.folder, 'hanging')
  await mkdir(folder)
  const script = `
    case $1 in
      endpoints) echo '{}' ;;
      why) printf '{ "causes": [' ; exit 1 ;;
      logs) echo 'web | the last line'; exec sleep 600 ;;
      *) echo "$*" >>'${folder}/calls' ;;
    esac`
  await putProgram(join(folder, 'testfleet'), script)
  const { PATH } = env
  const job = {
    ...{ PATH, RUNNER_TEMP: folder, LOGS: join(folder, 'logs'), TESTFLEET: join(folder, 'testfleet') },
    ...{ TESTFLEET_SESSION: 'shop', TESTFLEET_READ_MS: '10000', INPUTS: JSON.stringify({ failed: 'true' }) },
  }
  const main = join(root, 'action/main.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'down'], { cwd: folder, env: job })
  expect(stdout).toContain('testfleet logs took too long')
  expect(await readFile(join(folder, 'logs/servers.log'), 'utf8')).toBe('web | the last line\n')
  expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('down --session shop --force\n')
})

test('finds a testfleet that is installed above, and says why another one is not used', async () => {
  const { PATH } = process.env
  const installed = join(fleet.folder, 'node_modules/.bin/testfleet')
  const broken = join(fleet.folder, 'packages/a/node_modules/.bin/testfleet')
  for (const path of [installed, broken]) await mkdir(join(path, '..'), { recursive: true })
  await copyFile(join(fleet.folder, 'bin/testfleet'), installed)
  await putProgram(broken, 'exit 1')
  const more = { env: { ...env, PATH: PATH ?? '' } }
  const inputs = { cache: 'false', 'working-directory': 'packages/a', file: '../../testfleet.json', servers: 'nobody' }
  const { output, files } = await useAction(inputs, more)
  expect(output).toContain(`::notice title=testfleet::${broken} is not used, because it does not start.`)
  // Other programs of node_modules/.bin do not come before those of the job.
  const folder = join(fleet.folder, 'testfleet-bin')
  expect(files.GITHUB_PATH).toContain(`${folder}\n`)
  expect(await readdir(folder)).toEqual(['testfleet'])
  expect(await readFile(join(folder, 'testfleet'), 'utf8')).toBe(`#!/bin/sh\nexec '${installed}' "$@"\n`)
  const wrong = await useAction({ file: 'fleet.yml', shards: 'two', timeout: 'never', run: 'true' })
  expect(wrong).toMatchObject({ failed: true })
  expect(wrong.output).toBe(
    [
      `file: there is no fleet.yml in ${fleet.folder}`,
      'shards takes a number, not "two"',
      'timeout takes a time such as 10m, not "never"',
    ]
      .map((message) => `::error title=testfleet::${message}\n`)
      .join(''),
  )
})

test('runs the command in shards, with the testfleet of the action', wide, async () => {
  const { PATH } = process.env
  const more = { env: { ...env, PATH: PATH ?? '' } }
  const { failed, output } = await useAction(
    { cache: 'false', shards: '2', run: 'echo "$TESTFLEET_SHARD_INDEX."' },
    more,
  )
  expect(failed, output).toBe(false)
  expect(output).toMatch(/^\[1\] 1\.$/m)
  expect(output).toMatch(/^\[2\] 2\.$/m)
})

test('a checkout of the action compiles its own testfleet, once', wide, async () => {
  const checkout = join(fleet.folder, 'checkout')
  for (const name of ['action.yml', 'action', 'bin', 'package.json', 'tsconfig.json', 'tools', 'src'])
    await cp(join(root, name), join(checkout, name), { recursive: true })
  // Brings the packages of this clone in place of those of the registry.
  const npm = `[ "$1" = ci ] && echo "npm ci in $PWD" >&2 && mkdir node_modules && ln -s '${root}/node_modules/'* node_modules`
  const own = join(fleet.folder, 'own-bin')
  await mkdir(own)
  await putProgram(join(own, 'npm'), npm)
  const more = { env: { ...env, PATH: `${own}:${process.env.PATH}` } }
  const use = () =>
    runAction(
      join(checkout, 'action.yml'),
      { cache: 'false', run: 'echo ran' },
      { folder: fleet.folder, cache: join(fleet.folder, 'cache'), ...more },
    )
  const first = await use()
  expect(first.failed, first.output).toBe(false)
  expect(first.output).toContain(`npm ci in ${checkout}\n`)
  expect(first.output).toMatch(/^ran$/m)
  expect(first.output).toMatch(/^built dist in \d+ ms$/m)
  // RUNNER_TEMP is the folder of the fleet.
  const command = await readFile(join(fleet.folder, 'testfleet-bin/testfleet'), 'utf8')
  expect(command).toContain(join(checkout, 'bin/testfleet'))
  const second = await use()
  expect(second.failed, second.output).toBe(false)
  expect(second.output).not.toMatch(/npm ci|built dist/)
})

test('the script for runners without shards gives each of them its files, and runs nothing without files', async () => {
  const page = await readFile(join(root, 'docs/ci.md'), 'utf8')
  const [script = ''] = /^# shard\.sh\n[\s\S]*?(?=^```)/m.exec(page) ?? []
  await mkdir(join(fleet.folder, 'test'))
  for (const name of ['a b', 'c']) await writeFile(join(fleet.folder, `test/${name}.spec.js`), '')
  await putProgram(join(fleet.folder, 'bin/mocha'), 'printf "mocha%s\\n" "$(printf " <%s>" "$@")"')
  const run = (shard: number) => runScript(script, { TESTFLEET_SHARD_INDEX: String(shard), TESTFLEET_SHARD_COUNT: '3' })
  expect(await run(1)).toBe('')
  expect(await run(2)).toBe('mocha <test/a b.spec.js>\n')
  expect(await run(3)).toBe('mocha <test/c.spec.js>\n')
})

/** `NAME<<delimiter`, the value, and the delimiter, each in its own lines. */
function readGitHubVariables(text: string): Record<string, string> {
  const found = text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]))
}

const gitlabFile = join(root, 'examples/ci/gitlab-ci.yml')

/** The jobs as GitLab expands them, after a check by its schema. */
async function readGitlabJobs(): Promise<
  Record<string, { readonly script: string[]; readonly before_script: string[] }>
> {
  const program = join(root, 'node_modules/gitlab-ci-local/dist/index.js')
  const words = [program, '--preview', '--file', 'gitlab-ci.yml']
  await copyFile(gitlabFile, join(fleet.folder, 'gitlab-ci.yml'))
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: fleet.folder })
  return parse(stdout)
}

async function runScript(script: string, more: Record<string, string> = {}): Promise<string> {
  const given = { cwd: fleet.folder, env: { ...env, ...more } }
  const { stdout, stderr } = await promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', script], given)
  return stdout + stderr
}

test('the file for GitLab is valid', async () => {
  expect(await readGitlabJobs()).toMatchObject({ images: { stage: 'build' }, test: { stage: 'test', parallel: 4 } })
})

test('the jobs of GitLab and Jenkins run as they are written, and build each image once', wide, async () => {
  await writeFile(join(fleet.folder, 'npm-test'), 'echo "tests $* in $TESTFLEET_SESSION"')
  await rm(join(fleet.folder, 'images.tar'), { force: true })
  await fleet.done(['rmi'])
  const { images, test: tests } = await readGitlabJobs()
  const scriptOf = (job = tests): string => [...(job?.before_script ?? []), ...(job?.script ?? [])].join('\n')
  expect(await runScript(scriptOf(images))).toMatch(/^web: built in /m)
  await fleet.done(['rmi'])
  const ran = await runScript(scriptOf(), { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '4' })
  expect(ran).toMatch(/^tests -- --shard=2\/4 in story-/m)
  expect(ran).not.toMatch(/building|built/)
  const jenkins = await readFile(join(root, 'examples/ci/Jenkinsfile'), 'utf8')
  const steps = [...jenkins.matchAll(/^ *sh '(.*)'$/gm)].map(([, step]) => step)
  expect(steps).toHaveLength(4)
  // Jenkins runs `always` before `failure`, and `cleanup` last.
  expect(jenkins.replaceAll(/^ *\/\/.*\n/gm, '')).toMatch(
    /failure \{\s+archiveArtifacts [^}]*\}\s+cleanup \{\s+sh 'rm /,
  )
  expect(jenkins).not.toMatch(/\balways \{/)
  const output = await runScript(steps.join('\n'), { EXECUTOR_NUMBER: '1' })
  for (const shard of [1, 2, 3, 4])
    expect(output).toMatch(new RegExp(`^\\[${shard}\\] tests -- --shard=${shard}/4 in jenkins-1-${shard}$`, 'm'))
  expect(await countLeftovers(fleet.name)).toBe(0)
})
