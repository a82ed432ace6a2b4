// The steps of the action: node main.mjs find|key|images|up|run|down. Runs on the Node of the runner, without packages.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants as systemConstants, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildOwn, findInstalled } from './find.mjs'
import { annotate, appendTo, group, mask, setOutput } from './github.mjs'
import { addNames, removeNamesOf } from './names.mjs'

const { env } = process
const { INPUTS = '{}', TESTFLEET: testfleet = '', LOGS, ARCHIVE: archive = '', CACHE_HIT: cacheHit } = env
// They are not for the user's command.
for (const name of ['INPUTS', 'TESTFLEET', 'LOGS', 'ARCHIVE', 'CACHE_HIT']) delete env[name]
const inputs = JSON.parse(INPUTS)
const temporaryFolder = env.RUNNER_TEMP || tmpdir()
const logs = LOGS || join(temporaryFolder, 'testfleet-logs')
const MEGABYTE = 1_000_000
/** Time for a call that only reads: a job must end also when its engine hangs. */
const READ_MS = Number(env.TESTFLEET_READ_MS) || 5 * 60_000

/** Longer than any job of GitHub: where no process shows how long the job lasts. */
const LONGEST_JOB = '6h'
/** A shorter word can be part of any line. Of a shorter password, the URLs that have it are hidden. */
const SHORTEST_SECRET = 12

const steps = {
  find() {
    checkInputs()
    const path = resolve(inputs.testfleet || findInstalled() || buildOwn())
    appendTo('GITHUB_PATH', `${makeCommandFolder(path)}\n`)
    setOutput('testfleet', path)
    setOutput('archive', join(temporaryFolder, 'testfleet-images.tar'))
    describeLogs()
  },

  key() {
    const key = read('plan', '--images-key', ...fileWords(), ...serverNames()).trim()
    const start = [inputs['cache-prefix'], env.RUNNER_OS, env.RUNNER_ARCH].filter(Boolean).join('-')
    setOutput('key', `${start}-${key}`)
    setOutput('restore-keys', `${start}-${key.replace(/[^-]*$/, '')}`)
  },

  async images() {
    if (existsSync(archive) && (await call('load', archive)) !== 0)
      annotate('warning', 'the archive of the cache cannot be loaded, so the images are built', { title: 'testfleet' })
    if (cacheHit === 'true') return 0
    const exitCode = await call('save', ...fileWords(), '--timeout', inputs.timeout, archive, ...serverNames())
    if (exitCode !== 0) return exitCode
    const sizeMB = Math.ceil(statSync(archive).size / MEGABYTE)
    const isSaved = sizeMB <= Number(inputs['cache-limit'])
    if (!isSaved) {
      const message = `the images are not kept: ${sizeMB} MB are more than cache-limit, ${inputs['cache-limit']} MB`
      annotate('notice', message, { title: 'testfleet' })
    }
    setOutput('save', isSaved)
    return 0
  },

  run() {
    const shards = inputs.shards === '' ? [] : ['--shards', inputs.shards]
    const servers = serverNames().flatMap((name) => ['--server', name])
    const options = [...fileWords(), ...servers, ...shards, '--timeout', inputs.timeout, '--attach-logs', logs]
    return call('run', ...options, '--', 'bash', '-e', '-o', 'pipefail', '-c', inputs.run)
  },

  async up() {
    // The runner ends what its steps leave running, and finds it by this variable. The keeper ends by itself.
    env.RUNNER_TRACKING_ID = ''
    mkdirSync(logs, { recursive: true })
    const options = [...fileWords(), '--timeout', inputs.timeout, '--bundle', join(logs, 'failure.tar.gz')]
    const holder = findJobProcess()
    // Jobs that run at the same time on one engine must not share a fleet.
    const own = `job-${randomBytes(4).toString('hex')}`
    const start =
      holder === undefined ? ['up', '--ttl', LONGEST_JOB, '--session', own] : ['share', '--pid', String(holder)]
    const { session } = JSON.parse(read(...start, ...options, '--json', ...serverNames()))
    setOutput('session', session)
    const chosen = ['--session', session]
    findSecrets(session).forEach(mask)
    appendTo('GITHUB_ENV', read('endpoints', ...chosen, '--format', 'github'))
    if (inputs.names === 'true') addNames(session, read('hosts', ...chosen))
    return call('ps', ...chosen)
  },

  async down() {
    describeLogs()
    const session = env.TESTFLEET_SESSION
    if (!session) return 0
    if (inputs.failed === 'true') await keepLogs(session)
    removeNamesOf(session)
    return call('down', '--session', session, '--force')
  },
}

/** The logs that the servers have written since they were started, and what was wrong with them. */
async function keepLogs(session) {
  const secrets = findSecrets(session)
  const hide = (text) => secrets.reduce((all, secret) => all.replaceAll(secret, '***'), text)
  const { causes = [] } = parse(attempt('why', '--session', session, '--json'))
  for (const { sentence, hint, file, line, column } of causes)
    annotate('error', hint === undefined ? sentence : `${sentence}. ${hint}`, {
      file,
      line,
      col: column,
      title: 'testfleet why',
    })
  const why = hide(attempt('why', '--session', session))
  const log = hide(attempt('logs', '--session', session, '--timestamps'))
  mkdirSync(logs, { recursive: true })
  writeFileSync(join(logs, 'why.txt'), why)
  writeFileSync(join(logs, 'servers.log'), log)
  group('testfleet: the end of the logs of the servers', log.split('\n').slice(-200).join('\n'))
  const escaped = why.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  appendTo('GITHUB_STEP_SUMMARY', `### testfleet\n\n<pre>${escaped}</pre>\n\n`)
}

/** Returns an empty document for a text that is cut off. */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Makes a folder with this command alone: the programs next to it must not come before those of the job. */
function makeCommandFolder(path) {
  const folder = join(temporaryFolder, 'testfleet-bin')
  const command = join(folder, 'testfleet')
  // An earlier step of the job has made it.
  if (path === command) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(command, `#!/bin/sh\nexec '${path.replaceAll("'", "'\\''")}' "$@"\n`, { mode: 0o755 })
  return folder
}

/** Tells what is wrong with an input by its name, before anything is built. */
function checkInputs() {
  const { file = '', shards = '', timeout = '10m' } = inputs
  const isDuration = /^\d+(?:\.\d+)?(?:ms|s|m|h)?$/.test(timeout)
  const wrong = [
    file !== '' && !existsSync(file) && `file: there is no ${file} in ${process.cwd()}`,
    shards !== '' && !/^\d+$/.test(shards) && `shards takes a number, not "${shards}"`,
    !isDuration && `timeout takes a time such as 10m, not "${timeout}"`,
  ].filter(Boolean)
  for (const message of wrong) annotate('error', message, { title: 'testfleet' })
  if (wrong.length > 0) process.exit(2)
}

function describeLogs() {
  const job = (env.GITHUB_JOB ?? 'job').replaceAll(/[^\w.-]/g, '_')
  setOutput('logs', logs)
  // The jobs of a matrix share a name, and an artifact must not.
  setOutput('artifact', inputs.artifact || `testfleet-logs-${job}-${randomBytes(3).toString('hex')}`)
}

/** Passwords of URLs, and values whose name says that they are secret. */
function findSecrets(session) {
  const variables = JSON.parse(read('endpoints', '--session', session, '--format', 'json'))
  const found = Object.entries(variables).flatMap(([name, value]) => {
    if (/(?:PASSWORD|SECRET|TOKEN|KEY)$/.test(name) && !value.startsWith('/')) return [value]
    const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:([^/@]+)@/i.exec(value) ?? []
    return password === undefined ? [] : [value, password, decode(password)]
  })
  return [...new Set(found)].filter((secret) => secret.length >= SHORTEST_SECRET)
}

function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Returns the process of the runner that ends with the job: an ancestor of this one, unless the job runs in a container. */
function findJobProcess() {
  const name = env.TESTFLEET_JOB_PROCESS || 'Runner.Worker'
  try {
    for (let pid = process.ppid; pid > 1; pid = parentOf(pid))
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name) return pid
  } catch {
    // No /proc: another system than Linux.
  }
  return undefined
}

function parentOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function fileWords() {
  return inputs.file === '' ? [] : ['-f', inputs.file]
}

function serverNames() {
  return inputs.servers.split(/[\s,]+/).filter(Boolean)
}

/** Returns what testfleet prints. Ends this program with its exit code if it fails. */
function read(...words) {
  try {
    return execFileSync(testfleet, words, { ...limit(words), encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  } catch ({ status, message }) {
    // testfleet has said why, unless it could not be run at all.
    if (!status) process.stderr.write(`${message}\n`)
    process.exit(status || 1)
  }
}

/** As `read`, for a call that may fail: what it has printed until then. */
function attempt(...words) {
  try {
    return execFileSync(testfleet, words, {
      ...limit(words),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 28,
    })
  } catch ({ stdout, code }) {
    if (code === 'ETIMEDOUT') annotate('warning', `testfleet ${words[0]} took too long`, { title: 'testfleet' })
    return stdout ?? ''
  }
}

/** A start has its own time limit, and removes what it has started. */
function limit([word]) {
  return word === 'up' || word === 'share' ? {} : { timeout: READ_MS, killSignal: 'SIGKILL' }
}

/** Resolves with the exit code. Signals of a job that is cancelled are passed on. */
function call(...words) {
  const child = spawn(testfleet, words, { stdio: 'inherit' })
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name))
  return new Promise((end, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => end(code ?? 128 + (systemConstants.signals[signal] ?? 0)))
  })
}

process.exitCode = (await steps[process.argv[2]]()) ?? 0
