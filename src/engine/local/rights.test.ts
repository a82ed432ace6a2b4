import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { FolderFacts, LocalFacts } from './rights/facts.ts'
import { findMountOptions } from './rights/folder.ts'
import { judgeFacts } from './rights/judge.ts'
import { neededPrograms } from './rights/packages.ts'
import { findLoss, findRights } from './rights.ts'

const folder: FolderFacts = {
  path: '/store/new',
  existing: '/store',
  isWritable: true,
  type: 0xef53,
  freeBytes: 1e12,
  freeFiles: 1e6,
  options: ['rw', 'relatime'],
}

const all = neededPrograms.flatMap(({ names }) => names)

const root: LocalFacts = {
  userId: 0,
  architecture: 'x64',
  kernel: '6.1.0-18-amd64',
  programs: new Set(all),
  sysctls: { 'user/max_user_namespaces': '15000' },
  subordinate: { users: 0, groups: 0 },
  noNewPrivileges: false,
  cgroups: 'v2',
  areCgroupsWritable: true,
  tun: 'usable',
  trial: undefined,
  mapTrial: undefined,
  folder,
}

const user: LocalFacts = { ...root, userId: 1000, subordinate: { users: 65_536, groups: 65_536 } }

const without = (...names: readonly string[]) => new Set(all.filter((name) => !names.includes(name)))

describe('the rights of a machine where everything is there', () => {
  test('lack nothing for root', () => {
    expect(judgeFacts(root)).toEqual([])
  })

  test('lack only limits for an ordinary user', () => {
    expect(judgeFacts(user)).toMatchObject([{ loses: 'limits', problem: expect.stringMatching(/cannot be paused/) }])
  })

  test('are found on this machine, whatever they are', async () => {
    const rights = await findRights({ platform: 'linux', userId: process.getuid?.() }, `${tmpdir()}/no/such/store`)
    expect(rights.isOrdinaryUser).toBe(process.getuid?.() !== 0)
    for (const { problem, advice } of rights.findings) {
      expect(problem).toMatch(/^[^\n]+\.$/)
      expect(advice).toMatch(/^[A-Z][^\n]+$/)
    }
  })

  test('do not exist on another system than Linux', async () => {
    const rights = await findRights({ platform: 'darwin', userId: 501 }, '/store')
    expect(findLoss(rights, 'engine')?.problem).toBe('The local engine needs Linux.')
    expect(findLoss(rights, 'limits')).toBeUndefined()
  })
})

describe('what is missing is reported with what to do', () => {
  const noId = { users: 0, groups: 0 }
  const cases: readonly (readonly [string, LocalFacts, string, RegExp, RegExp])[] = [
    ['a program', { ...root, programs: without('conmon') }, 'engine', /^conmon is not installed/, /package conmon/],
    ['a runtime', { ...root, programs: without('runc', 'crun') }, 'engine', /^runc or crun is not/, /package runc/],
    [
      'a runtime for hybrid cgroups',
      { ...root, cgroups: 'hybrid', programs: without('runc') },
      'engine',
      /crun/,
      /runc/,
    ],
    ['newuidmap', { ...user, programs: without('newuidmap') }, 'owners', /^newuidmap is not/, /package uidmap/],
    ['slirp4netns', { ...user, programs: without('slirp4netns') }, 'network', /^slirp4netns is/, /package slirp4netns/],
    ['mmdebstrap', { ...root, programs: without('mmdebstrap') }, 'baseImages', /^mmdebstrap is/, /package mmdebstrap/],
    ['a processor', { ...root, architecture: 's390x' }, 'engine', /kind of processor \(s390x\)/, /amd64 or arm64/],
    ['rights of root', { ...root, trial: 'not permitted' }, 'engine', /\(not permitted\)/, /--privileged/],
    [
      'cgroups',
      { ...root, cgroups: 'none', areCgroupsWritable: false },
      'limits',
      /There are no cgroups/,
      /Mount them/,
    ],
    ['writable cgroups', { ...root, areCgroupsWritable: false }, 'limits', /cannot be changed/, /Mount them writable/],
    [
      'user namespaces, by their number',
      { ...user, sysctls: { 'user/max_user_namespaces': '0' } },
      'engine',
      /max_user_namespaces is 0/,
      /sysctl -w user.max_user_namespaces=/,
    ],
    [
      'user namespaces, in Debian',
      { ...user, sysctls: { 'kernel/unprivileged_userns_clone': '0' } },
      'engine',
      /Only root/,
      /sysctl -w kernel.unprivileged_userns_clone=1/,
    ],
    [
      'user namespaces, in Ubuntu',
      { ...user, trial: 'no', sysctls: { 'kernel/apparmor_restrict_unprivileged_userns': '1' } },
      'engine',
      /AppArmor/,
      /sysctl -w kernel.apparmor_restrict_unprivileged_userns=0/,
    ],
    [
      'user namespaces, in a container',
      { ...user, trial: 'no' },
      'engine',
      /a network \(no\)/,
      /outside of a container/,
    ],
    ['a kernel', { ...user, kernel: '5.10.0-28-amd64' }, 'engine', /overlayfs with Linux 5\.10/, /5\.11 or newer/],
    [
      'ids',
      { ...user, subordinate: noId },
      'owners',
      /no further ids in \/etc\/subuid/,
      /usermod --add-subuids .* 1000$/,
    ],
    ['group ids', { ...user, subordinate: { users: 65_536, groups: 9 } }, 'owners', /only 9 .*subgid/, /--add-subgids/],
    ['a set-uid newuidmap', { ...user, mapTrial: 'no' }, 'owners', /cannot be used \(no\)/, /set-uid root/],
    ['new privileges', { ...user, mapTrial: 'no', noNewPrivileges: true }, 'owners', /no_new_privs/, /allowPrivilege/],
    ['a tun device', { ...user, tun: 'missing' }, 'network', /no \/dev\/net\/tun/, /modprobe tun/],
    ['an open tun device', { ...user, tun: 'forbidden' }, 'network', /may not open \/dev\/net\/tun/, /chmod 666/],
    ['a writable folder', { ...root, folder: { ...folder, isWritable: false } }, 'engine', /cannot be made/, /local:/],
    ['a folder to write', { ...root, folder: { ...folder, options: ['ro'] } }, 'engine', /read-only/, /local:/],
    ['a folder to execute', { ...root, folder: { ...folder, options: ['noexec'] } }, 'engine', /noexec/, /local:/],
    ['a folder of this machine', { ...root, folder: { ...folder, type: 0x6969 } }, 'engine', /is on NFS/, /local:/],
    ['a folder with SMB', { ...root, folder: { ...folder, type: 0xff534d42 | 0 } }, 'engine', /is on SMB/, /local:/],
    ['room', { ...root, folder: { ...folder, freeBytes: 1 << 20 } }, 'engine', /full \(1 MiB left\)/, /prune/],
    ['room for files', { ...root, folder: { ...folder, freeFiles: 3 } }, 'engine', /full \(3 files left\)/, /prune/],
  ]
  test.each(cases)('%s', (_, facts, loses, problem, advice) => {
    expect(judgeFacts(facts)).toContainEqual({
      loses,
      problem: expect.stringMatching(problem),
      advice: expect.stringMatching(advice),
    })
  })

  test('what stops the engine comes first', () => {
    const facts = { ...user, tun: 'missing', programs: without('mmdebstrap'), kernel: '4.19.0' } as const
    expect(judgeFacts(facts).map(({ loses }) => loses)).toEqual(['engine', 'baseImages', 'network', 'limits'])
  })
})

test('the options of a mount are those of the nearest one, and of the last at its place', () => {
  const mounts = [
    '1 0 8:1 / / rw,relatime - ext4 /dev/sda rw',
    String.raw`2 1 0:2 / /with\040space rw,nosuid - tmpfs t rw`,
    String.raw`3 1 0:2 / /with\040space rw,noexec - tmpfs t rw`,
    '4 1 0:3 / /with ro - tmpfs t rw',
  ].join('\n')
  expect(findMountOptions(mounts, '/with space/below')).toEqual(['rw', 'noexec'])
  expect(findMountOptions(mounts, '/with')).toEqual(['ro'])
  expect(findMountOptions(mounts, '/without')).toEqual(['rw', 'relatime'])
})
