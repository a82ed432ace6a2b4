import { describe, expect, test } from 'vitest'
import type { ReadyCheck } from '../model/fleet.ts'
import { speakAs } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { chooseHint, type Evidence } from './choose-hint.ts'
import { explainScript, wordScript } from './explain-script.ts'
import { findCauseInLog, type KnownServer } from './find-cause-in-log.ts'
import type { Listener, PortListener } from './find-listeners.ts'

// Messages are quoted as the command words them.
speakAs('command')

const http: ReadyCheck = { kind: 'http', port: 8080, path: '/', status: [], headers: {}, body: undefined }
const https: ReadyCheck = { ...http, kind: 'https' }
const tcp: ReadyCheck = { kind: 'tcp', port: 8080 }
const smtp: ReadyCheck = { kind: 'smtp', port: 25 }
const log: Extract<ReadyCheck, { kind: 'log' }> = { kind: 'log', text: 'ready', isPattern: false }
const listens = (port: number, isLoopback = false): PortListener => ({ protocol: 'tcp', port, isLoopback })

function hint(check: ReadyCheck, answer: string, more: Partial<Evidence> = {}): string {
  const standings = [{ check, answer, sameForMs: 57_400 }]
  return chooseHint({ server: 'web', standings, log: ['started'], listeners: [listens(8080), listens(25)], ...more })
}

const raises = expect.stringContaining('raise `readyTimeout`')

describe('the hint for a failed port check', () => {
  test.each<[string, ReadyCheck, string, Listener[] | undefined, string]>([
    [
      'another',
      http,
      'connection refused',
      [listens(8000)],
      'Nothing listens at 8080; the server listens at 8000: correct',
    ],
    [
      'another, inside',
      tcp,
      'takes the connection and closes it at once',
      [listens(8000, true)],
      'listens at 8000 (on 127.0.0.1 only)',
    ],
    ['of UDP', tcp, 'connection refused', [{ protocol: 'udp', port: 53, isLoopback: false }], 'listens at 53/udp'],
    [
      'inside alone',
      http,
      'closes the connection',
      [listens(8080, true)],
      'on 127.0.0.1 only: make it listen on 0.0.0.0',
    ],
    ['that nobody can look up', smtp, 'connection refused', undefined, 'check that it is the port'],
    ['that hangs up', smtp, 'closes the connection', [listens(25)], 'ends each connection of `smtp`'],
    [
      'over UDP',
      { kind: 'dns', port: 53 },
      'does not answer',
      [listens(80)],
      'Nothing listens at 53; the server listens at 80',
    ],
    [
      'of the other protocol',
      tcp,
      'connection refused',
      [{ protocol: 'udp', port: 8080, isLoopback: false }],
      'listens at 8080 over UDP only, and `tcp` asks over TCP',
    ],
    ['of TCP, asked over UDP', { kind: 'snmp', port: 25 }, 'does not answer', [listens(25)], 'over TCP only'],
    [
      'on IPv6 alone',
      tcp,
      'connection refused',
      [{ ...listens(8080), isIpv6: true }],
      'on IPv6 only: make it listen on 0.0.0.0, too',
    ],
    ['on ::1', http, 'connection reset', [{ ...listens(8080, true), isIpv6: true }], 'on ::1 only'],
    [
      'on IPv6, and perhaps IPv4',
      http,
      'closes the connection',
      [{ ...listens(8080), isIpv6: true }],
      'look whether it takes IPv4, too',
    ],
    [
      'on which nothing listens, while a Unix socket does',
      tcp,
      'connection refused',
      [{ protocol: 'unix', path: '/run/app.sock' }],
      'listens at the socket /run/app.sock: make it listen at 8080',
    ],
  ])('%s', (_, check, answer, listeners, words) => {
    const told = hint(check, answer, { listeners })
    expect(told).toContain(words)
    expect(told).not.toEqual(raises)
  })

  test.each<[string, Listener[] | undefined, string]>([
    ['elsewhere', [listens(8000, true)], 'Nothing listens at 8080; the server listens at 127.0.0.1:8000: correct'],
    ['on all addresses', [listens(8000)], 'the server listens at 0.0.0.0:8000'],
    ['on IPv6', [{ ...listens(8000, true), isIpv6: true }], 'the server listens at [::1]:8000'],
    ['on ::1', [{ ...listens(8080, true), isIpv6: true }], 'at 8080 on ::1 only: make it listen on 127.0.0.1.'],
    ['on another loopback', [{ ...listens(8080, true), address: '127.0.0.2' }], 'on 127.0.0.2 only: make it listen on'],
    ['on one address', [{ ...listens(8080), address: '10.0.0.5' }], 'on 10.0.0.5 only: make it listen on 127.0.0.1'],
    ['on 127.0.0.1', [listens(8080, true)], 'The server listens at 8080 (tcp) and ends each connection'],
    ['nobody knows where', undefined, 'check that it is the port that the server listens at, on 127.0.0.1.'],
  ])('asks a process at 127.0.0.1: %s', (_, listeners, words) => {
    expect(hint(http, 'connection refused', { listeners, isProcess: true })).toContain(words)
  })

  test('suggests more time if nothing listens or the server is silent', () => {
    expect(hint(http, 'connection refused', { listeners: [] })).toEqual(raises)
    expect(hint(tcp, 'says nothing')).toEqual(raises)
    expect(hint(http, 'does not answer')).toEqual(raises)
    expect(hint(http, 'begins its answer (27 bytes), and does not end its header')).toEqual(raises)
    const udp: Listener = { protocol: 'udp', port: 53, isLoopback: false }
    const mute = hint({ kind: 'dns', port: 53 }, 'does not answer', { listeners: [udp] })
    expect(mute).toContain('listens at 53/udp and does not answer')
    expect(mute).toEqual(raises)
  })
})

describe('the hint for a wrong answer', () => {
  test.each<[ReadyCheck, string, string]>([
    [http, 'answers 404: "Not Found"', 'the same answer for 57 s: check `path` and `status`'],
    [http, 'answers 400: "Invalid HTTP_HOST header"', 'requestHeaders: { Host: NAME }'],
    [http, 'answers 400: "The plain HTTP request was sent to HTTPS port"', 'use `https`'],
    [http, 'answers 401', 'status: [200, 401]'],
    [http, 'answers 301 with the location "/login"', 'redirects are not followed: check `path`, or add 301'],
    [http, 'answers 405', 'it takes no GET there'],
    [http, 'answers 421', 'requestHeaders: { Host: NAME }'],
    [http, 'answers 500: "KeyError"', 'for 57 s: look at its log for the reason.'],
    [http, 'answers 404: "uploading is at /upload"', 'check `path` and `status`'],
    [http, 'answers 200 without "starting up" in its body', 'check `body`'],
    [http, 'answers 200 without "ok" in its body', 'check `body`'],
    [http, 'speaks SSH, not HTTP/1: says "SSH-2.0-x\\r\\n"', 'speaks SSH: use `ssh` in place of `http`'],
    [smtp, 'says "HTTP/1.1 400 Bad Request"', 'speaks HTTP: use `http` in place of `smtp`'],
    [{ kind: 'redis', port: 1 }, 'says "* OK ready"', 'speaks IMAP: use `imap`'],
    [https, 'does not speak TLS', 'Use `http` in place of `https`'],
    [{ kind: 'imap', port: 25, tls: true }, 'does not speak TLS', 'Leave out `tls: true`'],
    [https, 'serves no site of the name web.shop.test', 'Set `requestHeaders: { Host: NAME }`'],
    [http, 'closes the connection', 'wants another protocol, such as `https`.'],
    [{ ...log, times: 2 }, '1 of 2 times in the 3 lines so far', 'look whether `times` is right'],
    [https, 'requires a client certificate', '`tls`'],
    [tcp, 'says "221 bye"', 'Compare what the server says'],
    [{ kind: 'exec', command: ['pg_isready', '-q'] }, 'exits with 2', 'testfleet exec web -- pg_isready -q'],
    [log, 'not in the 3 lines so far', 'compare the text with the end of its log'],
  ])('%j: %s', (check, answer, words) => expect(hint(check, answer)).toContain(words))

  test('does not call an answer the same that has just changed', () => {
    const answer = 'answers 200 without "ok" in the first 725 bytes of its body, which has not ended'
    const told = hint(http, answer, { standings: [{ check: http, answer, sameForMs: 20 }] })
    expect(told).toBe('It answers, but not as the check wants: check `body` and `headers`.')
  })

  test.each<[ReadyCheck, string]>([
    [http, 'answers 500: "the database is still starting up"'],
    [{ kind: 'redis', port: 1 }, 'says "-LOADING the dataset"'],
    [{ kind: 'postgres', port: 1 }, 'answers "57P03": "the database system is starting up"'],
    [http, 'answers 503: "warming up"'],
    [{ kind: 'healthcheck' }, 'starting'],
  ])('suggests more time if the answer shows a start in progress: %j %s', (check, answer) =>
    expect(hint(check, answer)).toEqual(raises),
  )

  test.each([
    ['Server Ready', 'server ready'],
    ['server  ready now', 'server ready'],
    ['SERVER READY', 'Server ready'],
  ])('suggests other capital letters if the log has %j and the check wants %j', (line, text) => {
    const told = hint({ ...log, text }, 'not in the 1 line so far', { log: ['hello', line] })
    expect(told).toContain(`has the line ${JSON.stringify(line)}: write the text with the same capital letters`)
    expect(told).not.toEqual(raises)
  })

  test('suggests unbuffered output if the log is empty and the server listens', () => {
    const told = hint(log, 'nothing is logged yet', { log: [] })
    expect(told).toContain('It logged nothing, while it listens at 8080, 25')
    expect(told).toContain('PYTHONUNBUFFERED')
  })
})

describe('the cause of a failure', () => {
  const unsafe = { privileged: false, engineSocket: false, newPrivileges: false }
  const known: KnownServer = {
    user: 'app',
    capAdd: [],
    capDrop: [],
    unsafe,
    dependsOn: ['cache'],
    readOnly: true,
    mounts: [{ kind: 'volume', volume: 'data', to: '/var/lib/app', writable: true }],
  }

  test.each([
    [
      "mkdir: cannot create directory '/var/lib/app/db': Permission denied",
      'The volume `data` at /var/lib/app does not belong to app',
    ],
    ["EACCES: permission denied, open '/var/lib/app/x'", 'does not belong to app'],
    ['touch: cannot touch /etc/x: Read-only file system', 'Its root is read-only'],
    ['/run.sh: 2: \r: not found', 'end in CR LF'],
    ["/run.sh: line 2: $'\\r': command not found", 'end in CR LF'],
    ['nginx: [emerg] host not found in upstream "api" in /etc/nginx/nginx.conf:3', 'add `dependsOn: [api]` to web'],
    ['Error: getaddrinfo ENOTFOUND db.shop.test', 'add `dependsOn: [db]`'],
    ['psql: error: could not translate host name "db" to address: Name or service not known', 'dependsOn: [db]'],
    ['dial tcp: lookup queue on 127.0.0.11:53: no such host', 'dependsOn: [queue]'],
    ['curl: (6) Could not resolve host: api', 'dependsOn: [api]'],
    ['java.net.UnknownHostException: kafka', 'dependsOn: [kafka]'],
    ['ping: cache: Name or service not known', 'look whether `cache` still runs'],
    ['cannot open /dev/net/tun: No such file or directory', 'no device /dev/net/tun'],
    ['listen tcp :80: bind: address already in use', 'want one port'],
    ['OSError: [Errno 99] Cannot assign requested address', 'make it listen on 0.0.0.0'],
    ["KeyError: 'DATABASE_URL'", 'environment variable DATABASE_URL: set it in `environment` of web'],
    ['/start.sh: 3: DB_HOST: parameter not set', 'environment variable DB_HOST'],
    ['/start.sh: line 3: db_host: unbound variable', 'environment variable db_host'],
    ['/start.sh: 2: DATABASE_URL: must be set', 'environment variable DATABASE_URL'],
    ['Error: environment variable "API_KEY" is not set', 'environment variable API_KEY'],
    ['Missing required environment variable: SMTP_HOST', 'environment variable SMTP_HOST'],
    ['/start.sh: 3: nodee: not found', 'The image has no program nodee'],
    ['bash: line 1: gunicorn: command not found', 'The image has no program gunicorn'],
    [
      '/app: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file',
      'lacks the library libpq.so.5',
    ],
    ['Killed', 'raise `limits.memory`'],
    ['/start.sh: line 3:    12 Killed                  python3 app.py', 'raise `limits.memory`'],
    ['connect ECONNREFUSED 172.18.0.3:5432', 'name it in `dependsOn` of web'],
  ])('is found in the log line %j', (line, words) =>
    expect(findCauseInLog('web', ['hello', line], known)).toContain(words),
  )

  test.each([
    'ready',
    'open /etc/shadow: Permission denied',
    'cannot open /dev/null: No such file',
    'GET /lookup 200',
    "KeyError: 'id'",
    'user: not found',
    'WARN: not set',
    'Killed 3 idle workers',
  ])('is not found in the log line %s', (line) =>
    expect(findCauseInLog('web', [line], { ...known, readOnly: false })).toBeUndefined(),
  )
})

test.each([
  ['no such file or directory', '#!/bin/sh\r\necho\r\n', 'The lines of /x end in CR LF'],
  ['no such file or directory', '#!/opt/py\n', '/x begins with #!/opt/py, and the image has no /opt/py'],
  ['exec format error', 'echo hi\n', 'a script without a first line such as #!/bin/sh'],
  ['exec format error', '\x7fELF\x02', 'another kind of processor'],
  ['no such file or directory', '\x7fELF\x02', 'needs a loader or libraries'],
  ['permission denied', '#!/bin/sh\n', 'may not be executed'],
  ['exec format error', '\xef\xbb\xbf#!/bin/sh\n', 'begins with a byte order mark'],
  ['no such file or directory', '', 'is not in the image'],
])('the error "%s" of a script or program is explained: %j', (refusal, start, words) => {
  expect(wordScript('/x', refusal, Buffer.from(start, 'latin1'))).toContain(words)
})

test.each(['exec /x: no such file or directory', '[FATAL tini (7)] exec /x failed: No such file or directory'])(
  'the program %j of a log line is examined',
  async (line) => {
    const archive = Buffer.concat([Buffer.alloc(512), Buffer.from('#!/bin/sh\r\necho\r\n')])
    const runtime = { fetch: async () => archive } as unknown as Runtime
    const explained = await explainScript(['hello', line], { runtime, containerId: 'c' }, new AbortController().signal)
    expect(explained).toContain('The lines of /x end in CR LF')
  },
)

describe('a mistake in a shell script', () => {
  const explain = (line: string, mode: string, script: string): Promise<string | undefined> => {
    const archive = Buffer.concat([Buffer.alloc(512), Buffer.from(script)])
    archive.write(`000${mode}`, 100)
    const runtime = { fetch: async () => archive } as unknown as Runtime
    return explainScript(['hello', line], { runtime, containerId: 'c' }, new AbortController().signal)
  }

  test.each([
    ['/x: 2: set: Illegal option -', '0755', 'set -e\r\n', 'The lines of /x end in CR LF'],
    [
      '/x: 5: Syntax error: end of file unexpected (expecting "then")',
      '0755',
      'if\r\n',
      'The lines of /x end in CR LF',
    ],
    ["/usr/bin/env: 'bash\\r': No such file or directory", '0755', '', 'The lines of its script end in CR LF'],
    ['/usr/bin/env: ‘node’: No such file or directory', '0755', '', 'the image has no node'],
    ["env: can't execute 'node': No such file or directory", '0755', '', 'the image has no node'],
    ['sh: 1: /x: Permission denied', '0644', '#!/bin/sh\n', '/x may not be executed'],
    ['bash: line 1: /x: Permission denied', '0644', '#!/bin/sh\n', '/x may not be executed'],
    ['sh: 1: exec: /x: Exec format error', '0755', '\x7fELF', 'another kind of processor'],
    ['bash: line 1: /x: cannot execute binary file: Exec format error', '0755', '\x7fELF', 'another kind of processor'],
    ['sh: 1: /x: not found', '0755', '#!/opt/node\n', 'begins with #!/opt/node'],
  ])('is explained: %s', async (line, mode, script, words) =>
    expect(await explain(line, mode, script)).toContain(words),
  )

  test.each([
    ['/x: 3: nodee: not found', '#!/bin/sh\n'],
    ['bash: line 1: /x: Permission denied', '#!/bin/sh\n'],
    ['bash: line 1: /x: Permission denied', ''],
    ['cat: /x: Permission denied', '#!/bin/sh\n'],
  ])('is not assumed for %s in the script %j', async (line, script) =>
    expect(await explain(line, '0755', script)).toBeUndefined(),
  )
})
