import { expect, test } from 'vitest'
import type { Runtime } from '../runtime/runtime.ts'
import { explainDeath, explainTimeout } from './explain-failure.ts'
import { findMissingCapabilities, type Rights } from './missing-capabilities.ts'

const unsafe = { privileged: false, engineSocket: false, newPrivileges: false }
const none: Rights = { user: undefined, capAdd: [], capDrop: ['ALL'], unsafe }

/** Messages of programs without these capabilities, in Debian 12. */
const said: [string, string[]][] = [
  ["chown: changing ownership of '/var/run/apache2/socks.CN6Vry2Ruw': Operation not permitted", ['CHOWN']],
  ['Could not change ownership of /run/chrony : Operation not permitted', ['CHOWN']],
  ['Fatal: fchown() failed for /run/dovecot/login: Operation not permitted', ['CHOWN']],
  ['[emerg] 1#1: chown("/var/lib/nginx/body", 33) failed (1: Operation not permitted)', ['CHOWN']],
  ["chown: changing ownership of '/var/spool/postfix/hold': Operation not permitted", ['CHOWN']],
  ['failed to drop supplementary groups: Operation not permitted', ['SETGID']],
  ['named: initgroups(): Operation not permitted', ['SETGID']],
  ['ALERT: initgroups: unable to set groups for User proxy and Group 13', ['SETGID']],
  ['ALERT: setgid: (1) Operation not permitted', ['SETGID']],
  ['postsuper: fatal: setgid(110): Operation not permitted', ['SETGID']],
  ['named: setuid(): Operation not permitted', ['SETUID']],
  ['postsuper: fatal: setuid(106): Operation not permitted', ['SETUID']],
  ['su: cannot set groups: Operation not permitted', ['SETGID']],
  ['exec /usr/bin/ping: operation not permitted', ['NET_RAW']],
  ["chroot: cannot change root directory to '/': Operation not permitted", ['SYS_CHROOT']],
  ['mknod: /x: Operation not permitted', ['MKNOD']],
  ['date: cannot set date: Operation not permitted', ['SYS_TIME']],
  ['nice: cannot set niceness: Permission denied', ['SYS_NICE']],
  ['sh: 1: ulimit: error setting limit (Operation not permitted)', ['SYS_RESOURCE']],
  ['RTNETLINK answers: Operation not permitted', ['NET_ADMIN']],
  [
    'iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)',
    ['NET_ADMIN'],
  ],
  ['mount: /mnt: permission denied.', ['SYS_ADMIN']],
  ['hostname: you must be root to change the host name', ['SYS_ADMIN']],
  ['unable to set CAP_SETFCAP effective capability: Operation not permitted', ['SETFCAP']],
]

test.each(said)('a missing capability is found in the line: %s', (line, capabilities) => {
  expect(findMissingCapabilities(['starting', line], none)).toEqual(capabilities)
})

test('each missing capability is named once', () => {
  const lines = said.slice(0, 9).map(([line]) => line)
  expect(findMissingCapabilities(lines, none)).toEqual(['CHOWN', 'SETGID'])
  expect(findMissingCapabilities(lines, { ...none, capAdd: ['CHOWN'] })).toEqual(['SETGID'])
  expect(findMissingCapabilities(lines, { ...none, capDrop: ['SETGID'] })).toEqual(['SETGID'])
  expect(findMissingCapabilities(lines, { ...none, capDrop: ['NET_RAW'] })).toEqual([])
})

test('nothing is suggested for a problem that no capability solves', () => {
  const lines = said.map(([line]) => line)
  expect(findMissingCapabilities(lines, { ...none, user: 'www-data' })).toEqual([])
  expect(findMissingCapabilities(lines, { ...none, unsafe: { ...unsafe, privileged: true } })).toEqual([])
  expect(findMissingCapabilities(['open /etc/shadow: Permission denied', 'chown done'], none)).toEqual([])
})

test.each([
  [
    'late',
    137,
    [false, false, false, true],
    'web was killed for using more memory than its limit of 32m before it was ready',
  ],
  ['never', 137, [false, false], 'web ended with exit code 137 before it was ready'],
  [
    'of a process that is not its first',
    1,
    [true],
    'web was killed for using more memory than its limit of 32m before it was ready',
  ],
] as const)(
  'a server that ran out of memory is reported as such by an engine that reports it %s',
  async (_, exitCode, told, message) => {
    const news = [...told]
    const runtime = {
      inspectServer: async () => ({ isOutOfMemory: news.shift(), memoryBytes: 32 * 1024 ** 2, restarts: 0 }),
      async *readLogs() {},
    } as unknown as Runtime
    const subject = { server: 'web', containerId: 'a1', runtime }
    const hint = exitCode === 137 ? expect.stringContaining('limits.memory') : expect.any(String)
    expect(await explainDeath(subject, exitCode, undefined, new AbortController().signal)).toMatchObject({
      message,
      hint,
    })
    expect(news).toEqual([])
  },
)

test.each([
  [true, 32 * 1024 ** 2, 'killed for using more memory than its limit of 32m. Raise `limits.memory`'],
  [true, undefined, 'killed for lack of memory on its machine. Start fewer servers at once'],
  [false, 32 * 1024 ** 2, 'It logged nothing'],
] as const)(
  'a server that is not ready in time is reported with a process that ran out of memory: %s',
  async (isOutOfMemory, memoryBytes, hint) => {
    const runtime = {
      inspectServer: async () => ({ isOutOfMemory, memoryBytes, processId: 0 }),
      exec: async () => Promise.reject(new Error('no such program')),
      async *readLogs() {},
    } as unknown as Runtime
    const subject = { server: 'web', containerId: 'a1', runtime }
    const log = { kind: 'log', text: 'ready', isPattern: false } as const
    const standings = [{ check: log, answer: 'nothing is logged yet', sameForMs: 900 }]
    expect(await explainTimeout(subject, 1000, standings, new AbortController().signal)).toMatchObject({
      code: 'READY_TIMEOUT',
      hint: expect.stringContaining(hint),
    })
  },
)
