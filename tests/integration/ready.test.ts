import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Harness } from '../../src/engine/conformance/harness.ts'
import { packArchive } from '../../src/files/archive.ts'
import { watchSockets } from '../support/open-sockets.ts'
import { stagedServer } from '../support/perl-servers.ts'
import { askEngine } from '../support/raw-engine.ts'
import {
  exec,
  exit,
  healthcheck,
  http,
  log,
  openReadyHarness,
  publish,
  type Route,
  startStaged,
  subjectOf,
  tcp,
  watchWait,
} from '../support/ready-harness.ts'
import { wide, wideIf } from '../support/tiers.ts'

let harness: Harness

const imageWithHealthcheck = (): string => `testfleet/ready-health:${harness.name()}`.replace(/-\d+$/, '')

beforeAll(async () => {
  harness = await openReadyHarness()
  const check = '--interval=100ms --timeout=5s --retries=2 CMD ["test", "-e", "/tmp/healthy"]'
  const text = `FROM ${harness.image}\nCOPY crlf.sh bare.sh lost.sh /\nHEALTHCHECK ${check}\n`
  const context = packArchive([
    { kind: 'text', path: 'Dockerfile', mode: 0o644, text },
    { kind: 'text', path: 'crlf.sh', mode: 0o755, text: '#!/bin/sh\r\necho hi\r\n' },
    { kind: 'text', path: 'bare.sh', mode: 0o755, text: 'echo hi\n' },
    { kind: 'text', path: 'lost.sh', mode: 0o755, text: '#!/opt/python\necho hi\n' },
  ])
  const tags = [imageWithHealthcheck()]
  await harness.engine.buildImage({ tags, labels: harness.labels, dockerfile: 'Dockerfile', context })
})

afterAll(async () => {
  await harness.sweep()
  harness.engine.close()
})

const routes: readonly Route[] = ['direct', 'published']
const HOLD_MS = 300

/** Before this, what ends has ended, on a busy machine too; a wait goes on for longer. */
const SOON_MS = 60_000

/** What a plain socket sees of a port: the events in their order, until it closes or `holdMs` from the first are over. */
async function lookAt(address: { host: string; port: number }, holdMs = HOLD_MS): Promise<string[]> {
  const seen: string[] = []
  const socket = connect(address)
  for (const event of ['connect', 'data', 'close'] as const) socket.on(event, () => seen.push(event))
  socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? 'error'))
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', () => resolve())
  await Promise.race([once(socket, 'connect').catch(() => {}), sleep(SOON_MS)])
  await Promise.race([promise, sleep(holdMs)])
  socket.destroy()
  return seen
}

function respond(status: string, { headers = [] as string[], body = '' } = {}): string {
  return [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n')
}

describe('a published port at which no server listens', () => {
  test('is accepted and then closed by Docker', async () => {
    const { subject, stage } = await startStaged(harness, 'direct')
    const [published, direct] = [subject.reach.published(8080), subject.reach.direct(8080)]
    if (published === undefined || direct === undefined) throw new Error('it is published, and routed')
    expect(published.host).toBe('127.0.0.1')
    expect(await lookAt(direct, SOON_MS)).toEqual(['ECONNREFUSED', 'close'])
    expect((await lookAt(published, SOON_MS)).filter((event) => event !== 'ECONNRESET')).toEqual(['connect', 'close'])
    await stage('listen')
    await watchWait(subject, [tcp(8080)]).result
    expect(await lookAt(published)).toEqual(['connect'])
  })

  test.each(routes)('does not pass a tcp check by way of %s', async (route) => {
    const { subject, stage } = await startStaged(harness, route)
    const wait = watchWait(subject, [tcp(8080)])
    await wait.answered(route === 'direct' ? /^tcp :8080: connection refused$/ : /takes the connection and closes it/)
    // Long enough for a connection to the engine's own proxy to be taken for the server's.
    await sleep(HOLD_MS)
    expect(wait.isSettled()).toBe(false)
    await stage('listen')
    expect(await wait.result).toBe(false)
  })
})

for (const route of routes)
  describe.concurrent(`by way of ${route}`, route === 'direct' ? wide : {}, () => {
    test('a tcp check with `expect` passes on the expected text, not on a connection', async () => {
      const { subject, stage } = await startStaged(harness, route)
      const wait = watchWait(subject, [tcp(8080, '+PONG', 'PING\r\n')])
      await wait.answered(/refused|closes the connection|reset/)
      await stage('listen')
      await wait.answered(/^tcp :8080: says nothing$/)
      await stage('reply', '-LOADING the dataset\r\n')
      await wait.answered(/says "-LOADING the dataset\\r\\n"/)
      expect(wait.isSettled()).toBe(false)
      await stage('reply', '+PONG\r\n')
      await wait.result
    })

    test('an http check passes on the expected answer only', async () => {
      const { subject, stage } = await startStaged(harness, route)
      const wanted = http({
        path: '/ok?a=1',
        status: [200, 204],
        headers: { 'Content-Type': 'text/html' },
        body: 'wörld',
      })
      const wait = watchWait(subject, [wanted])
      await wait.answered(/^http :8080\/ok\?a=1: (connection refused|connection reset|closes the connection)$/)
      await stage('listen')
      await wait.answered(/: does not answer$/)
      await stage('reply', respond('503 Busy'))
      await wait.answered(/: answers 503$/)
      await stage('reply', 'SSH-2.0-OpenSSH_9.2\r\n')
      await wait.answered(/speaks SSH, not HTTP\/1/)
      await stage('reply', respond('200 OK', { body: 'hello' }))
      await wait.answered(/answers 200 without "text\/html" in its header Content-Type/)
      const headers = ['Content-Type: text/html; charset=utf-8']
      await stage('reply', respond('200 OK', { headers, body: 'hello' }))
      await wait.answered(/answers 200 without "wörld" in its body/)
      expect(wait.isSettled()).toBe(false)
      await stage('reply', respond('200 OK', { headers, body: 'hello wörld' }))
      await wait.result
    })

    test('an https check passes on the expected answer, with any certificate', async () => {
      const ports = [publish(8443)]
      const command = [
        'openssl req -x509 -newkey rsa:2048 -nodes -keyout /key.pem -out /cert.pem -subj /CN=nobody 2>/dev/null',
        'until [ -e /stage/listen ]; do sleep 0.02; done',
        'mkdir -p /www && cd /www && exec openssl s_server -accept 8443 -key /key.pem -cert /cert.pem -HTTP -quiet',
      ].join('\n')
      const id = await harness.start({ command: ['sh', '-c', command], ports })
      const wait = watchWait(await subjectOf(harness, id, ports, route), [
        http({ kind: 'https', port: 8443, path: '/index.html', body: 'secret' }),
      ])
      await wait.answered(/refused|reset|disconnected|hang up/)
      await harness.shell(id, 'mkdir /stage; touch /stage/listen')
      // The file is not there yet: it takes the connection, speaks TLS, and sends nothing that is HTTP.
      await wait.answered(/closes|does not speak|reset|does not answer|disconnected/)
      await harness.shell(id, String.raw`mkdir -p /www; printf 'HTTP/1.0 500 No\r\n\r\nsecret' > /www/index.html`)
      await wait.answered(/: answers 500/)
      expect(wait.isSettled()).toBe(false)
      await harness.shell(id, String.raw`printf 'HTTP/1.0 200 OK\r\n\r\nsecret' > /www/index.html`)
      await wait.result
    })

    test('an http check does not pass while the server is paused, and the wait ends in time', async () => {
      const { subject, stage } = await startStaged(harness, route)
      await stage('listen')
      await stage('reply', respond('200 OK'))
      await watchWait(subject, [http()]).result
      await askEngine('POST', `/containers/${subject.containerId}/pause`)
      const published = subject.reach.published(8080)
      if (published !== undefined) expect(await lookAt(published)).toEqual(['connect'])
      const startedAt = performance.now()
      const wait = watchWait(subject, [http()], { timeoutMs: 1500 })
      await expect(wait.result).rejects.toMatchObject({
        code: 'READY_TIMEOUT',
        message: expect.stringMatching(/^server was not ready within 1.5 s \(http :8080\/: does not answer\)$/),
      })
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
      await askEngine('POST', `/containers/${subject.containerId}/unpause`)
      await watchWait(subject, [http()]).result
    })
  })

describe.concurrent('a tcp check', () => {
  test('reads a banner that arrives in several pieces without being asked for', async () => {
    const command = ['perl', '-e', pieces, '8080']
    const ports = [publish(8080)]
    const id = await harness.start({ command, ports })
    await watchWait(await subjectOf(harness, id, ports), [tcp(8080, '220 ready')]).result
  })

  test('compares bytes, one for each character', async () => {
    const { subject, stage } = await startStaged(harness, 'published')
    await stage('listen')
    await stage('banner', 'é')
    await watchWait(subject, [tcp(8080, '\u00c3\u00a9')]).result
  })

  test('reaches an unpublished port over the network', async () => {
    const { subject, stage } = await startStaged(harness, 'direct', { ports: [] })
    expect(subject.reach.published(8080)).toBeUndefined()
    const wait = watchWait(subject, [tcp(8080), http()])
    await wait.answered(/tcp :8080: connection refused/)
    await stage('listen')
    await stage('reply', respond('200 OK'))
    await wait.result
  })

  test('fails at once for a port that is neither published nor routed', async () => {
    const { subject } = await startStaged(harness, 'published', { ports: [] })
    for (const check of [tcp(8080), tcp(8080, 'x'), http()]) {
      await expect(watchWait(subject, [check]).result).rejects.toMatchObject({
        code: 'PORT_UNREACHABLE',
        hint: expect.stringContaining('ports'),
      })
    }
  })
})

const pieces = `
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 9, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  for my $piece ('22', '0 re', "ady\\r\\n") { syswrite $client, $piece; select undef, undef, undef, 0.05 }
  sysread $client, my $rest, 1;
}
`

describe.concurrent('an exec check', () => {
  test('passes on exit code 0, and reports the output of its command', async () => {
    const id = await harness.start()
    const subject = await subjectOf(harness, id, [])
    // An engine reads the two streams side by side: without the pause, which line is the last is left to chance.
    const script = 'echo one; sleep 0.2; echo "no file yet" >&2; test -e /tmp/here'
    const wait = watchWait(subject, [exec('sh', '-c', script)])
    await wait.answered(/^exec sh: exits with 1: no file yet$/)
    await harness.shell(id, 'touch /tmp/here')
    await wait.result
  })

  test('ends an attempt that hangs, with its programs, and can pass at the next one', async () => {
    const id = await harness.start()
    const subject = await subjectOf(harness, id, [])
    const script = 'mkdir /tmp/tried || exit 0; trap "" TERM; sleep 31415 & exec sleep 31415'
    const wait = watchWait(subject, [exec('sh', '-c', script)], { timeoutMs: 60_000 })
    await wait.result
    // The machine may be too busy for the first attempt, or the last one, to come to its end at once.
    const ended = wait.answers.map((answer) => answer.replace(/ within \d+ s/, ' within 1 s'))
    expect(new Set(ended)).toEqual(new Set(['exec sh: did not end within 1 s, and was ended']))
    expect((await harness.shell(id, 'grep -l "^sleep.3141[5]" /proc/[0-9]*/cmdline')).stdout).toBe('')
  })

  test('fails at once for a command that does not exist', async () => {
    const subject = await subjectOf(harness, await harness.idle(), [])
    await expect(watchWait(subject, [exec('pg_isready')]).result).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: expect.stringContaining('pg_isready'),
    })
  })

  test('does not run in a paused server, and the wait ends all the same', async () => {
    const id = await harness.start()
    await askEngine('POST', `/containers/${id}/pause`)
    const subject = await subjectOf(harness, id, [])
    const abort = new AbortController()
    const wait = watchWait(subject, [exec('true')], { signal: abort.signal })
    await wait.answered(/^exec true: .*paused/)
    abort.abort(new Error('enough'))
    await expect(wait.result).rejects.toThrow('enough')
    const late = watchWait(subject, [exec('true')], { timeoutMs: 500 })
    await expect(late.result).rejects.toMatchObject({ code: 'READY_TIMEOUT' })
    await askEngine('POST', `/containers/${id}/unpause`)
  })
})

describe.concurrent('a log check', () => {
  const say = (script: string) => harness.start({ command: ['sh', '-c', `${script}; exec sleep 60`] })

  test('finds a line that was logged before the wait, also on standard error', async () => {
    const id = await say('echo first; echo "ready to serve"; echo wrong >&2; seq 5000')
    await watchWait(await subjectOf(harness, id, []), [log('5000')]).result
    await watchWait(await subjectOf(harness, id, []), [log('first')]).result
    await watchWait(await subjectOf(harness, id, []), [log('^ready to \\w+$', true)]).result
    await watchWait(await subjectOf(harness, id, []), [log('wrong')]).result
  })

  test('finds a line without an end once the engine delivers it: when it is long, or when the log has ended', async () => {
    const long = await harness.start({
      command: ['perl', '-e', '$| = 1; print "x" x 20000, "> ", "x" x 20000; sleep 60'],
    })
    await watchWait(await subjectOf(harness, long, []), [log('x> x')]).result
    const ended = await harness.start({ command: ['printf', 'all done'] })
    expect(await watchWait(await subjectOf(harness, ended, []), [log('all done'), exit(0)]).result).toBe(true)
  })

  test('does not find a prompt, because Docker keeps a short line until it ends, and matches one line at a time', async () => {
    const subject = await subjectOf(harness, await say('echo a; echo b; printf "mysql> "'), [])
    await watchWait(subject, [log('b')]).result
    for (const check of [log('mysql>'), log('a\\s*b', true)]) {
      const wait = watchWait(subject, [check], { timeoutMs: 700 })
      await expect(wait.result).rejects.toMatchObject({ code: 'READY_TIMEOUT', output: ['a', 'b'] })
    }
  })

  test('finds a text that was written in two pieces', async () => {
    const id = await say('printf rea; sleep 0.3; echo dy')
    await watchWait(await subjectOf(harness, id, []), [log('ready')]).result
  })

  test('waits for its line, and no similar line passes', async () => {
    const id = await say('echo starting; until [ -e /tmp/go ]; do sleep 0.05; done; echo started')
    const wait = watchWait(await subjectOf(harness, id, []), [log('started')])
    await wait.answered(/^log "started": not in the 1 lines? so far$/)
    await sleep(HOLD_MS)
    expect(wait.isSettled()).toBe(false)
    await harness.shell(id, 'touch /tmp/go')
    await wait.result
  })

  test('with a pattern that backtracks endlessly ends by the timeout, the server or the signal, and is reported', async () => {
    const evil = log('(a+)+$', true)
    const id = await say(`echo ${'a'.repeat(50)}!; until [ -e /tmp/go ]; do sleep 0.05; done; exit 3`)
    const subject = await subjectOf(harness, id, [])
    const late = watchWait(subject, [evil], { timeoutMs: 1000 })
    await expect(late.result).rejects.toMatchObject({
      code: 'READY_TIMEOUT',
      message: expect.stringContaining('log "(a+)+$": '),
    })
    const abort = new AbortController()
    const [cancelled, dying] = [watchWait(subject, [evil], { signal: abort.signal }), watchWait(subject, [evil])]
    await Promise.all(
      [cancelled, dying].map((wait) =>
        wait.answered(/^log "\(a\+\)\+\$": the pattern does not come to an end on the line "aaaa/),
      ),
    )
    abort.abort(new Error('enough'))
    await expect(cancelled.result).rejects.toThrow('enough')
    await harness.shell(id, 'touch /tmp/go')
    await expect(dying.result).rejects.toMatchObject({ code: 'SERVER_DIED', message: expect.stringContaining('3') })
  })
})

describe('a healthcheck check', () => {
  test('passes when the engine reports healthy, even after unhealthy', async () => {
    const id = await harness.start({ image: imageWithHealthcheck() })
    const wait = watchWait(await subjectOf(harness, id, []), [healthcheck])
    await wait.answered(/^healthcheck: unhealthy$/)
    expect(wait.isSettled()).toBe(false)
    await harness.shell(id, 'touch /tmp/healthy')
    await wait.result
  })

  test('fails at once for an image without a health check', async () => {
    const subject = await subjectOf(harness, await harness.idle(), [])
    await expect(watchWait(subject, [healthcheck]).result).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('has no health check'),
    })
  })
})

describe.concurrent('an exit check', () => {
  const run = async (script: string) => subjectOf(harness, await harness.start({ command: ['sh', '-c', script] }), [])

  test('passes when the server has ended with its code, which completes it, and fails at once with another', async () => {
    const [zero, three] = [await run('sleep 0.2'), await run('echo no table >&2; exit 3')]
    expect(await watchWait(zero, [exit(0)]).result).toBe(true)
    await expect(watchWait(zero, [exit(3)]).result).rejects.toMatchObject({ code: 'SERVER_DIED' })
    expect(await watchWait(three, [exit(3)]).result).toBe(true)
    await expect(watchWait(three, [exit(0)]).result).rejects.toMatchObject({
      code: 'SERVER_DIED',
      message: 'server ended with exit code 3; it had to end with 0',
      output: ['no table'],
    })
  })

  test('waits for the end of the server and for the other checks, in any order', async () => {
    const subject = await run('echo done; until [ -e /tmp/go ]; do sleep 0.05; done')
    const wait = watchWait(subject, [log('done'), exit(0)])
    await watchWait(subject, [log('done')]).result
    expect(wait.isSettled()).toBe(false)
    await harness.shell(subject.containerId, 'touch /tmp/go')
    expect(await wait.result).toBe(true)
    expect(await watchWait(subject, [log('done'), exit(0)]).result).toBe(true)
  })

  test('fails after the timeout for a server that does not end', async () => {
    const wait = watchWait(await subjectOf(harness, await harness.idle(), []), [exit(0)], { timeoutMs: 400 })
    await expect(wait.result).rejects.toMatchObject({
      code: 'READY_TIMEOUT',
      message: 'server was not ready within 0.4 s (exit 0: it still runs)',
    })
  })
})

describe('the wait', () => {
  test('waits for all checks', async () => {
    const { subject, stage } = await startStaged(harness, 'published')
    const wait = watchWait(subject, [tcp(8080), log('listening'), exec('test', '-e', '/stage/reply'), http()])
    await stage('listen')
    await wait.answered(/http :8080\/: does not answer/)
    expect(wait.isSettled()).toBe(false)
    await stage('reply', respond('302 Found', { headers: ['Location: /elsewhere'] }))
    expect(await wait.result).toBe(false)
  })

  test('with any check ends at once when the server dies, with its exit code and last output', async () => {
    const ports = [publish(8080)]
    const script = 'seq 5; echo "cannot bind" >&2; until [ -e /tmp/die ]; do sleep 0.05; done; exit 7'
    const id = await harness.start({ image: imageWithHealthcheck(), command: ['sh', '-c', script], ports })
    const subject = await subjectOf(harness, id, ports)
    const waits = [tcp(8080), tcp(8080, 'x'), http(), exec('false'), log('never'), healthcheck].map((check) =>
      watchWait(subject, [check]),
    )
    await Promise.all(waits.map((wait) => wait.answered(/./)))
    expect(waits.filter((wait) => wait.isSettled())).toEqual([])
    await harness.shell(id, 'touch /tmp/die')
    const diedAt = performance.now()
    for (const wait of waits) {
      await expect(wait.result).rejects.toMatchObject({
        code: 'SERVER_DIED',
        message: 'server ended with exit code 7 before it was ready',
        output: expect.arrayContaining(['5', 'cannot bind']),
      })
    }
    expect(performance.now() - diedAt).toBeLessThan(SOON_MS)
  })

  test('with any check reports how a server ended that had ended before the wait', async () => {
    const ports = [publish(8080), publish(53, 'udp')]
    const id = await harness.start({
      image: imageWithHealthcheck(),
      command: ['sh', '-c', 'echo last words; exit 7'],
      ports,
    })
    await harness.engine.waitContainer(id)
    const subject = await subjectOf(harness, id, ports)
    const redis = { kind: 'redis', port: 8080 } as const
    const dns = { kind: 'dns', port: 53 } as const
    const https = http({ kind: 'https' })
    for (const check of [tcp(8080), tcp(8080, 'x'), http(), https, exec('true'), log('x'), redis, dns, healthcheck]) {
      await expect(watchWait(subject, [check]).result).rejects.toMatchObject({
        code: 'SERVER_DIED',
        message: 'server ended with exit code 7 before it was ready',
        output: ['last words'],
      })
    }
  })

  for (const [program, words] of [
    ['/crlf.sh', 'The lines of /crlf.sh end in CR LF'],
    ['/bare.sh', 'a script without a first line such as #!/bin/sh'],
    ['/lost.sh', '/lost.sh begins with #!/opt/python, and the image has no /opt/python'],
  ] as const)
    test(`reports why ${program} did not run`, wideIf(program !== '/lost.sh'), async () => {
      const id = await harness.start({ image: imageWithHealthcheck(), command: [program], init: false })
      await expect(watchWait(await subjectOf(harness, id, []), [log('ready')]).result).rejects.toMatchObject({
        code: 'SERVER_DIED',
        hint: expect.stringContaining(words),
      })
    })

  test('reports the port at which the server listens instead', async () => {
    const { subject, stage } = await startStaged(harness, 'direct', { command: stagedServer(8000) })
    await stage('listen')
    await watchWait(subject, [tcp(8000)]).result
    await expect(watchWait(subject, [http()], { timeoutMs: 1000 }).result).rejects.toMatchObject({
      code: 'READY_TIMEOUT',
      hint: expect.stringContaining('Nothing listens at 8080; the server listens at 8000'),
    })
  })

  test('without a check needs the server to stay alive for a moment', async () => {
    const gone = await subjectOf(harness, await harness.start({ command: ['true'] }), [])
    // However busy this machine is: it has ended before its moment has.
    await harness.engine.waitContainer(gone.containerId)
    await expect(watchWait(gone, []).result).rejects.toMatchObject({
      code: 'SERVER_DIED',
      hint: expect.stringContaining('exit: 0'),
    })
    expect(await watchWait(await subjectOf(harness, await harness.idle(), []), []).result).toBe(false)
  })

  test('reports the capability that a living server was refused', async () => {
    const id = await harness.start({
      command: ['sh', '-c', 'chown nobody /etc/hostname; exec sleep 60'],
      capDrop: ['ALL'],
    })
    const unsafe = { privileged: false, engineSocket: false, newPrivileges: false }
    const rights = { user: undefined, capAdd: [], capDrop: ['ALL'], unsafe }
    const subject = { ...(await subjectOf(harness, id, [])), rights }
    await watchWait(subject, [log('not permitted')]).result
    await expect(watchWait(subject, [log('never')], { timeoutMs: 500 }).result).rejects.toMatchObject({
      code: 'READY_TIMEOUT',
      hint: 'It lacks a capability: add `capAdd: [CHOWN]` to server.',
    })
  })

  test('reports that the server used too much memory', async () => {
    const id = await harness.start({
      command: ['perl', '-e', 'sleep 1; $x = "x" x 300_000_000; sleep 60'],
      limits: { memoryBytes: 32 * 1024 * 1024, cpus: undefined, pids: undefined },
    })
    await expect(watchWait(await subjectOf(harness, id, []), [log('never')]).result).rejects.toMatchObject({
      code: 'SERVER_DIED',
      // A busy engine can miss that memory ran out (20.10): it then knows of a kill alone.
      message: expect.stringMatching(/more memory than its limit|exit code 137/),
      hint: expect.stringContaining('limits.memory'),
    })
  })

  test('with any check ends when it is aborted, and leaves nothing open', async () => {
    using sockets = watchSockets()
    const own = await openReadyHarness()
    try {
      const silent = await startStaged(own, 'published', { ports: [publish(8080), publish(8081)] })
      await silent.stage('listen')
      const abort = new AbortController()
      const forSilent = [tcp(8080, 'x'), http(), log('never'), exec('sleep', '600'), exit(0)]
      const waits = [
        ...forSilent.map((check) => watchWait(silent.subject, [check], { signal: abort.signal })),
        // Nothing listens there.
        watchWait(silent.subject, [tcp(8081)], { signal: abort.signal }),
      ]
      await sleep(HOLD_MS)
      expect(waits.filter((wait) => wait.isSettled())).toEqual([])
      const abortedAt = performance.now()
      abort.abort(new Error('enough'))
      for (const wait of waits) await expect(wait.result).rejects.toThrow()
      expect(performance.now() - abortedAt).toBeLessThan(SOON_MS)
      await expect.poll(() => sockets.countOpen().tcp).toBe(0)
    } finally {
      await own.sweep()
      own.engine.close()
    }
    await expect.poll(() => sockets.countOpen()).toEqual({ tcp: 0, others: 0 })
  })
})
