import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders, SOON_MS, startTestfleet } from '../support/command.ts'
import { httpServer, udpServer } from '../support/perl-servers.ts'
import { askEngine } from '../support/raw-engine.ts'
import { inspect, makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { wideIf } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
let fleet: StoryFleet
let report: SessionReport

beforeAll(async () => {
  const both = 'echo out 1; echo err 1 >&2; echo out 2; printf "no end"; exec sleep 600'
  fleet = await makeFleet(
    {
      'web-1': {
        image,
        command: httpServer(8080),
        ports: [8080, '9090/tcp'],
        ready: [{ http: { port: 8080 } }],
        secrets: { TOKEN: { generate: 12 } },
        export: {
          WEB_URL: 'http://${host}:${port.8080}/',
          WEB_NAME: '${hostname}',
          WEB_TOKEN: "it's $HOME ${secret.TOKEN}",
        },
      },
      names: { image, command: udpServer(53), ports: ['53/udp'] },
      talker: { image, command: ['sh', '-c', both], ready: [{ log: 'out 2' }] },
      seed: { image, command: ['true'], ready: [{ exit: 0 }] },
      moody: {
        image,
        command: ['sh', '-c', 'touch /tmp/good; exec sleep 600'],
        ports: [{ container: 7000, address: '::1' }],
        ready: [{ exec: ['test', '-e', '/tmp/good'] }],
      },
    },
    {},
    { domain: 'story.example' },
  )
  report = await fleet.json(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

function portOf(server: string, port: string): number {
  return report.servers[server]?.endpoints[port]?.port ?? 0
}

describe('up --json', () => {
  test('prints the session on stdout, and nothing else', async () => {
    const server = (state: string, name: string, endpoints: object) => ({
      state,
      container: expect.stringMatching(/^[0-9a-f]{64}$/),
      image,
      packages: {},
      hostname: `${name}.story.example`,
      ip: state === 'ready' ? expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) : '',
      endpoints,
    })
    const published = { host: '127.0.0.1', port: expect.any(Number) }
    expect(report).toEqual({
      session: fleet.name,
      fleet: fleet.name,
      domain: 'story.example',
      servers: {
        moody: server('ready', 'moody', { '7000/tcp': { ...published, host: '::1' } }),
        names: server('ready', 'names', { '53/udp': published }),
        seed: { ...server('completed', 'seed', {}), exitCode: 0 },
        talker: server('ready', 'talker', {}),
        'web-1': server('ready', 'web-1', { '8080/tcp': published, '9090/tcp': published }),
      },
    })
    const { Name } = await inspect(report.servers['web-1']?.container ?? '')
    expect(Name).toMatch(new RegExp(`^/${fleet.name}-web-1-[0-9a-f]{8}$`))
  })
})

describe('ps', () => {
  test('prints a table, and with --json the same document as up --json', async () => {
    const { stdout, stderr } = await fleet.done(['ps'])
    expect(stderr).toBe('')
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/))
    expect(rows[0]).toEqual(['SERVER', 'STATE', 'IP', 'CONTAINER', 'IMAGE', 'ENDPOINTS'])
    const web = report.servers['web-1']
    expect(rows[5]).toEqual([
      'web-1',
      'ready',
      web?.ip,
      web?.container.slice(0, 12),
      image,
      `127.0.0.1:${portOf('web-1', '8080/tcp')}→8080/tcp 127.0.0.1:${portOf('web-1', '9090/tcp')}→9090/tcp`,
    ])
    expect(rows[1]?.at(-1)).toBe(`[::1]:${portOf('moody', '7000/tcp')}→7000/tcp`)
    expect(rows.map(([name]) => name)).toEqual(['SERVER', 'moody', 'names', 'seed', 'talker', 'web-1'])
    // A machine with too much to do answers a check too late: the server is unready then, until the next look.
    await expect.poll(() => fleet.json(['ps'])).toEqual(report)
  })

  test('shows whether a server is ready, unready, exited or completed', async () => {
    await fleet.exec('moody', 'rm', '/tmp/good')
    expect((await fleet.json(['ps'])).servers.moody?.state).toBe('unready')
    await askEngine('POST', `/containers/${report.servers.moody?.container}/kill`)
    await expect.poll(async () => (await fleet.report()).servers.moody?.state).toBe('exited')
    // An `up` of others leaves it so, and says it.
    expect((await fleet.json(['up', 'talker'])).servers).toMatchObject({
      moody: { state: 'exited', exitCode: 137, endpoints: {}, ip: '' },
      talker: { state: 'ready' },
      seed: { state: 'completed' },
    })
    report = await fleet.json(['up'])
    expect(report.servers.moody?.state).toBe('ready')
  })
})

describe('endpoints', () => {
  const variables = () => {
    const [http, other] = [String(portOf('web-1', '8080/tcp')), String(portOf('web-1', '9090/tcp'))]
    const dns = String(portOf('names', '53/udp'))
    return {
      TESTFLEET_SESSION: fleet.name,
      TESTFLEET_MOODY_HOSTNAME: 'moody.story.example',
      TESTFLEET_MOODY_HOST: '::1',
      TESTFLEET_MOODY_PORT: String(portOf('moody', '7000/tcp')),
      TESTFLEET_MOODY_PORT_7000: String(portOf('moody', '7000/tcp')),
      TESTFLEET_NAMES_HOSTNAME: 'names.story.example',
      TESTFLEET_NAMES_HOST: '127.0.0.1',
      TESTFLEET_NAMES_PORT: dns,
      TESTFLEET_NAMES_PORT_53: dns,
      TESTFLEET_SEED_HOSTNAME: 'seed.story.example',
      TESTFLEET_TALKER_HOSTNAME: 'talker.story.example',
      TESTFLEET_WEB_1_HOSTNAME: 'web-1.story.example',
      TESTFLEET_WEB_1_HOST: '127.0.0.1',
      TESTFLEET_WEB_1_PORT: http,
      TESTFLEET_WEB_1_PORT_8080: http,
      TESTFLEET_WEB_1_PORT_9090: other,
      WEB_URL: `http://127.0.0.1:${http}/`,
      WEB_NAME: 'web-1.story.example',
      WEB_TOKEN: expect.stringMatching(/^it's \$HOME [A-Za-z0-9]{12}$/),
    }
  }

  test('prints a readable list, and with --json the same document as up --json', async () => {
    const { stdout, stderr } = await fleet.done(['endpoints'])
    expect(stderr).toBe('')
    expect(stdout).toContain(`session ${fleet.name} (story.example)\n`)
    expect(stdout).toMatch(new RegExp(`^ {2}names +ready +127\\.0\\.0\\.1:${portOf('names', '53/udp')}→53/udp$`, 'm'))
    await expect.poll(() => fleet.json(['endpoints'])).toEqual(report)
  })

  test.each([
    ['json', (text: string) => JSON.parse(text)],
    ['env', (text: string) => Object.fromEntries(text.trimEnd().split('\n').map(splitVariable))],
  ])('prints the variables as %s', async (format, read) => {
    const { stdout, stderr } = await fleet.done(['endpoints', '--format', format])
    expect(read(stdout)).toEqual(variables())
    expect(stderr).toBe('')
  })

  test('prints the variables as shell code that is safe for any value', async () => {
    const { stdout } = await fleet.done(['endpoints', '--format', 'shell'])
    const shell = startTestfleet([], { prefix: ['sh', '-c', `${stdout}\nenv`] })
    const set = Object.fromEntries((await shell.result).stdout.trimEnd().split('\n').map(splitVariable))
    expect(set).toMatchObject(variables())
  })

  test('refuses --format dotenv for a value that readers of .env files would understand differently', async () => {
    expect(await fleet.call(['endpoints', '--format', 'dotenv'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('`--format dotenv` cannot hold the value of WEB_TOKEN'),
    })
  })

  test('refuses an unknown format', async () => {
    expect(await fleet.call(['endpoints', '--format', 'xml'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('env, dotenv, json, shell'),
    })
  })
})

function splitVariable(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

test('completion offers the sessions on the engine, and the servers of a session', async () => {
  const [sessions, servers] = await Promise.all([
    fleet.call(['completion', 'bash', '--', 'down', '--session', '']),
    fleet.call(['completion', 'zsh', '--', '--session', fleet.name, 'exec', '']),
  ])
  expect(sessions.stdout.split('\n')).toContain(fleet.name)
  expect(servers.stdout.split('\n').toSorted()).toEqual(['', 'moody', 'names', 'seed', 'talker', 'web-1', 'words'])
})

describe('logs', () => {
  test('prints both streams of a server, each line with the name of the server', async () => {
    const { stdout, stderr } = await fleet.done(['logs', 'talker'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines.filter((line) => line.includes('out'))).toEqual(['talker | out 1', 'talker | out 2'])
    expect(lines).toContain('talker | err 1')
    expect(stderr).toBe('')
  })

  test('prints the logs of all servers, or of the named ones', async () => {
    const all = (await fleet.done(['logs'])).stdout
    for (const name of ['web-1', 'names', 'talker']) expect(all).toMatch(new RegExp(`^${name} \\| `, 'm'))
    const some = (await fleet.done(['logs', 'names', 'web-1'])).stdout
    expect(some).toMatch(/^names \| listening at 53$/m)
    expect(some).not.toContain('talker')
  })

  test('prints the last lines with --tail', async () => {
    for (let asked = 0; asked < 3; asked++) await fetch(`http://127.0.0.1:${portOf('web-1', '8080/tcp')}/${asked}`)
    await expect
      .poll(async () => (await fleet.done(['logs', '--tail', '2', 'web-1'])).stdout)
      .toBe('web-1 | asked: GET /1 HTTP/1.1\nweb-1 | asked: GET /2 HTTP/1.1\n')
    expect((await fleet.done(['logs', '--tail', '0'])).stdout).toBe('')
    expect(await fleet.call(['logs', '--tail', 'two'])).toMatchObject({ exitCode: 2, stdout: '' })
  })

  test('prints times with --timestamps', async () => {
    const { stdout } = await fleet.done(['logs', '--timestamps', 'names'])
    expect(stdout).toMatch(/^names \| \d{4}-\d\d-\d\dT[\d:.]+Z listening at 53\n$/)
  })

  test('prints one JSON document with --json', async () => {
    const { stdout } = await fleet.done(['logs', '--json', 'talker', 'names'])
    expect(JSON.parse(stdout).lines).toEqual(
      expect.arrayContaining([
        { server: 'talker', stream: 'stdout', text: 'out 1' },
        { server: 'talker', stream: 'stderr', text: 'err 1' },
        { server: 'names', stream: 'stdout', text: 'listening at 53' },
      ]),
    )
  })

  test('follows several servers with -f until SIGINT', async () => {
    const following = startTestfleet(['logs', '-f', '--tail', '0', 'web-1', 'talker'], { cwd: fleet.folder })
    // It follows once it shows a request that came after its start.
    const asking = setInterval(() => void fetch(`http://127.0.0.1:${portOf('web-1', '8080/tcp')}/live`), 200)
    try {
      await following.waitForOutput(/^web-1 \| asked: GET \/live HTTP\/1\.1$/m)
    } finally {
      clearInterval(asking)
    }
    following.kill('SIGINT')
    expect(await following.result).toMatchObject({ exitCode: 130 })
  })

  test('ends with -f when the servers have ended', async () => {
    expect(await fleet.done(['logs', '-f', 'seed'])).toMatchObject({ stdout: '', stderr: '' })
  })
})

describe('exec', () => {
  test('keeps stdout, stderr and the exit code of the command separate', async () => {
    const call = fleet.call(['exec', 'talker', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
    expect(await call).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
    expect(await fleet.call(['exec', 'talker', '--', 'true'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  })

  test('passes on its arguments unchanged', async () => {
    const words = ['', 'two words', '$HOME', '`id`', "it's", '"', '--json', '--', '-h', 'größe']
    const { stdout } = await fleet.done(['exec', 'talker', '--', 'printf', '%s|', ...words])
    expect(stdout).toBe(words.map((word) => `${word}|`).join(''))
  })

  test('passes on its standard input to the end', async () => {
    const { stdout } = await fleet.done(
      ['exec', '-i', 'talker', '--', 'sh', '-c', 'read first; echo "$first, then:"; cat'],
      {
        input: 'one\ntwo\nthree',
      },
    )
    expect(stdout).toBe('one, then:\ntwo\nthree')
  })

  test('does not read the standard input of a shell loop without --interactive', async () => {
    const prefix = ['sh', '-c', 'printf "1\\n2\\n3\\n" | while read -r n; do "$@" "$n"; done', 'sh']
    expect((await fleet.done(['exec', 'talker', '--', 'echo', 'round'], { prefix })).stdout).toBe(
      'round 1\nround 2\nround 3\n',
    )
    const asked = await fleet.done(['exec', '-i', 'talker', '--', 'sed', 's/^/in: /', '-'], { input: '1\n2\n' })
    expect(asked.stdout).toBe('in: 1\nin: 2\n')
    expect((await fleet.done(['exec', 'talker', '--', 'cat'], { input: 'x' })).stdout).toBe('')
  })

  test('ends its command and every program that it started when a signal ends exec', async () => {
    const ends = {
      SIGTERM: { exitCode: 143, script: 'sleep 31415.1 & exec sleep 31415.1' },
      SIGINT: { exitCode: 130, script: 'trap "" INT TERM; sleep 31415.2; sleep 31415.2' },
      SIGHUP: { exitCode: 129, script: 'exec setsid -w sleep 31415.3' },
    } as const
    const isThere = async (text: string): Promise<boolean> => {
      const look = `grep -l "^sleep.${text.replace(/.$/, '[$&]')}" /proc/[0-9]*/cmdline || :`
      return (await fleet.exec('talker', 'sh', '-c', look)) !== ''
    }
    const signals = Object.keys(ends) as (keyof typeof ends)[]
    await Promise.all(
      signals.map(async (signal, index) => {
        const words = ['exec', 'talker', '--', 'sh', '-c', `echo begun; ${ends[signal].script}`]
        const running = startTestfleet(words, { cwd: fleet.folder })
        await running.waitForOutput(/begun/)
        running.kill(signal)
        expect(await running.result).toMatchObject({ exitCode: ends[signal].exitCode })
        expect(await isThere(`31415.${index + 1}`)).toBe(false)
      }),
    )
  })

  for (const stream of ['stdout', 'stderr'])
    test(`ends its command when the reader of its ${stream} is gone`, wideIf(stream === 'stdout'), async () => {
      const to = stream === 'stdout' ? '' : '2>&1 > /dev/null'
      const prefix = ['bash', '-o', 'pipefail', '-c', `"$@" ${to} | head -n 1`, 'bash']
      const script = `while :; do echo 31415.5; done ${stream === 'stdout' ? '' : '>&2'}`
      const call = await fleet.call(['exec', 'talker', '--', 'sh', '-c', script], { prefix })
      expect(call).toMatchObject({ exitCode: 141, stdout: '31415.5\n' })
      expect(await fleet.exec('talker', 'sh', '-c', 'grep -l "31415[.]5" /proc/[0-9]*/cmdline || :')).toBe('')
    })

  test('passes ten million bytes in and out unchanged', async () => {
    const bytes = randomBytes(10_000_000)
    const [from, to] = [join(fleet.folder, 'in'), join(fleet.folder, 'out')]
    await writeFile(from, bytes)
    const prefix = ['sh', '-c', 'in=$1 out=$2; shift 2; exec "$@" < "$in" > "$out"', 'sh', from, to]
    expect(await fleet.done(['exec', '--interactive', 'talker', '--', 'cat'], { prefix })).toMatchObject({ stderr: '' })
    const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
    expect(digest(await readFile(to))).toBe(digest(bytes))
  })

  test('reads no more standard input than its command reads', async () => {
    const marker = join(fleet.folder, 'all-was-read')
    const source = 'marker=$1; shift; exec "$@" < <(head -c 300000000 /dev/zero && touch "$marker")'
    await fleet.done(['exec', '-i', 'talker', '--', 'sleep', '2'], { prefix: ['bash', '-c', source, 'bash', marker] })
    expect(existsSync(marker)).toBe(false)
  })

  test('ends with its command, although its standard input is still open', async () => {
    const prefix = ['bash', '-c', 'exec "$@" < <(exec sleep 100 > /dev/null 2>&1)', 'bash']
    const { stdout, elapsedMs } = await fleet.done(['exec', '-i', 'talker', '--', 'echo', 'done'], { prefix })
    expect(stdout).toBe('done\n')
    expect(elapsedMs).toBeLessThan(SOON_MS)
  })

  test('gives its command a terminal when it is called from one', async () => {
    const onTerminal = (...command: string[]) =>
      fleet.call(['exec', 'talker', '--', ...command], {
        prefix: ['sh', '-c', 'exec script -qefc "stty rows 33 cols 101; $*" /dev/null', 'sh'],
      })
    // This engine gives a terminal its size once the command runs.
    const wait = 'until [ "$(stty size)" != "0 0" ]; do sleep 0.05; done; stty size'
    await fleet.exec('talker', 'sh', '-c', `echo '${wait}' > /tmp/size`)
    expect(await onTerminal('sh', '/tmp/size')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('33 101'),
    })
    expect(await onTerminal('test', '-t', '0')).toMatchObject({ exitCode: 0 })
    expect(await onTerminal('false')).toMatchObject({ exitCode: 1 })
  })

  test('runs its command as another user with --user', async () => {
    expect(await fleet.done(['exec', '--user', 'nobody', 'talker', '--', 'id', '-un'])).toMatchObject({
      stdout: 'nobody\n',
    })
  })

  test('prints one JSON document with --json', async () => {
    const call = await fleet.call(['exec', '--json', 'talker', '--', 'sh', '-c', 'echo größe; echo err >&2; exit 7'])
    expect(call).toMatchObject({ exitCode: 7, stderr: '' })
    expect(JSON.parse(call.stdout)).toEqual({ exitCode: 7, stdout: 'größe\n', stderr: 'err\n' })
  })

  test('reports a wrong call with an error, not with an exit code of the command', async () => {
    expect(await fleet.call(['exec', 'nobody', '--', 'true'])).toMatchObject({ exitCode: 2, stdout: '' })
    expect(await fleet.call(['exec', 'talker', '--', 'no-such-program'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('no-such-program'),
    })
    expect(await fleet.call(['exec', 'seed', '--', 'true'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('seed has completed its work'),
    })
  })
})
