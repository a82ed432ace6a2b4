import { describe, expect, test } from 'vitest'
import { plainContainer } from '../../../model/container.ts'
import { capabilitiesOf } from './capabilities.ts'
import { readCgroups } from './cgroups.ts'
import { type OciRequest, ociConfig } from './config.ts'
import { bindMount, mountsOf, tmpfsMount } from './mounts.ts'
import { variablesOf, wordsOf } from './words.ts'

const image = { environment: ['PATH=/image', 'A=1'], command: ['serve'], entrypoint: ['run'], labels: {} }
const config = { ...image, volumes: [], exposed: [] }
const program = { environment: {}, hostname: 'server' }

describe('the words of a container', () => {
  test('are those of its image, unless it has its own', () => {
    expect(wordsOf(program, config)).toEqual(['run', 'serve'])
    expect(wordsOf({ ...program, command: ['other'] }, config)).toEqual(['run', 'other'])
    expect(wordsOf({ ...program, entrypoint: ['mine'] }, config)).toEqual(['mine'])
    expect(wordsOf({ ...program, entrypoint: [''], command: ['other'] }, config)).toEqual(['other'])
  })

  test('are refused when there are none', () => {
    const failure = expect.objectContaining({ code: 'ENGINE_REFUSED' })
    expect(() => wordsOf({ ...program, entrypoint: [''] }, config)).toThrow(failure)
  })
})

test('the variables of a container come from Docker, then its image, then itself', () => {
  expect(variablesOf({ ...program, tty: true, environment: { A: '2', B: '=' } }, config)).toEqual({
    ...{ PATH: '/image', HOSTNAME: 'server', TERM: 'xterm', A: '2', B: '=' },
  })
})

describe('the capabilities of a container', () => {
  const of = (capAdd: string[], capDrop: string[], privileged = false) =>
    capabilitiesOf({ capAdd, capDrop, privileged })

  test('are as with Docker', () => {
    expect(of([], [])).toHaveLength(14)
    expect(of(['net_admin'], ['ALL'])).toEqual(['CAP_NET_ADMIN'])
    expect(of(['ALL'], ['CAP_SYS_ADMIN'])).not.toContain('CAP_SYS_ADMIN')
    expect(of(['ALL'], [])).toContain('CAP_SYS_ADMIN')
    expect(of([], ['ALL'], true)).toContain('CAP_SYS_ADMIN')
  })

  test('have names that exist', () => {
    expect(() => of(['EVERYTHING'], [])).toThrow(expect.objectContaining({ code: 'ENGINE_REFUSED' }))
  })
})

test('a mount of the container takes the place of a usual one, and a deeper one comes later', () => {
  const tmpfs = { to: '/dev/shm', sizeBytes: 1024, mode: 0o750, uid: undefined, gid: 33 }
  const mounts = mountsOf(
    [bindMount('/here', '/data/inner', false), bindMount('/there', '/data', true), tmpfsMount(tmpfs)],
    false,
  )
  expect(mounts.filter(({ destination }) => destination === '/dev/shm')).toEqual([
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'noexec', 'size=1024', 'mode=750', 'gid=33'],
    },
  ])
  expect(mounts.slice(-3).map(({ destination }) => destination)).toEqual(['/data', '/data/inner', '/dev/shm'])
})

describe('cgroups are read', () => {
  test('of version 2', () => {
    const found = readCgroups('cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n')
    expect(found).toMatchObject({ unified: '/sys/fs/cgroup', isHybrid: false, mounts: ['/sys/fs/cgroup'] })
  })

  test('of both versions at once', () => {
    const lines = ['cgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0', 'cgroup2 /c/unified cgroup2 rw 0 0']
    const found = readCgroups(lines.join('\n'))
    expect(found).toMatchObject({ unified: undefined, isHybrid: true, mounts: ['/c/cpu,cpuacct', '/c/unified'] })
    expect(found.controllers.get('cpuacct')).toBe('/c/cpu,cpuacct')
  })
})

describe('a config.json', () => {
  const request: OciRequest = {
    ...{ id: 'x', spec: { ...plainContainer, hostname: 'server' }, words: ['sh'], environment: { A: '"' } },
    ...{
      workingFolder: '/',
      user: { uid: 0, gid: 0, groups: [] },
      root: 'merged',
      mounts: [],
      network: '/run/netns/x',
    },
  }
  const read = async (changes: Partial<OciRequest['spec']>) =>
    JSON.parse(await ociConfig({ ...request, spec: { ...request.spec, ...changes } }))

  test('denies what Docker denies', async () => {
    const { process, linux } = await read({})
    expect(process).toMatchObject({ noNewPrivileges: true, args: ['sh'], env: ['A="'] })
    expect(linux.maskedPaths).toContain('/proc/kcore')
    const allowed = linux.seccomp.syscalls.flatMap(({ names, action, args }: Record<string, unknown>) =>
      action === 'SCMP_ACT_ALLOW' && args === undefined ? names : [],
    )
    expect(allowed).toEqual(expect.arrayContaining(['read', 'openat', 'futex', 'ptrace']))
    for (const name of ['mount', 'keyctl', 'bpf', 'unshare', 'reboot', 'init_module', 'clone3', 'userfaultfd'])
      expect(allowed).not.toContain(name)
  })

  test('denies nothing to a privileged container', async () => {
    const { linux } = await read({ privileged: true })
    expect(linux).not.toHaveProperty('seccomp')
    expect(linux).not.toHaveProperty('maskedPaths')
  })

  test('gives the program to an init process, and has limits', async () => {
    const limits = { memoryBytes: 1000, cpus: 0.5, pids: 7 }
    const { process, linux } = await read({ init: true, limits, ulimits: { core: { soft: 3, hard: 4 } } })
    expect(process.args).toEqual(['/sbin/docker-init', '--', 'sh'])
    expect(process.rlimits).toContainEqual({ type: 'RLIMIT_CORE', soft: 3, hard: 4 })
    expect(linux.resources).toMatchObject({
      ...{ memory: { limit: 1000 }, cpu: { quota: 50_000, period: 100_000 }, pids: { limit: 7 } },
    })
  })

  test('has an unlimited limit as the largest number of 64 bits', async () => {
    const spec = { ...request.spec, ulimits: { memlock: { soft: -1, hard: -1 } } }
    expect(await ociConfig({ ...request, spec })).toContain('"soft":18446744073709551615,"hard":18446744073709551615')
  })
})
