import type { LocalFacts } from './facts.ts'
import type { RightsFinding } from './finding.ts'

/** Says what an ordinary user cannot do. Pure. */
export function judgeUser(facts: LocalFacts): readonly RightsFinding[] {
  return [judgeNamespaces(facts), judgeKernel(facts), judgeIds(facts), judgeTun(facts), asSentence(noLimits)].filter(
    (finding) => finding !== undefined,
  )
}

function asSentence(finding: RightsFinding): RightsFinding {
  const { problem } = finding
  return { ...finding, problem: `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.` }
}

/** An ordinary user's servers share the cgroup of the call that starts them. */
const noLimits: RightsFinding = {
  loses: 'limits',
  problem:
    'servers of an ordinary user have no limits of memory, processors and processes, and cannot be paused or measured',
  advice: 'Run testfleet as root, or use a container engine, for a fleet that needs this.',
}

const inContainer = 'Run it as root, outside of a container, or use a container engine.'

function judgeNamespaces({ sysctls, trial, programs }: LocalFacts): RightsFinding | undefined {
  const refuse = (problem: string, advice: string): RightsFinding => ({ loses: 'engine', problem, advice })
  if (sysctls['user/max_user_namespaces'] === '0')
    return refuse(
      'User namespaces are off on this machine (user.max_user_namespaces is 0).',
      'Set it as root: sysctl -w user.max_user_namespaces=15000',
    )
  if (sysctls['kernel/unprivileged_userns_clone'] === '0')
    return refuse(
      'Only root may make user namespaces on this machine (kernel.unprivileged_userns_clone is 0).',
      'Set it as root: sysctl -w kernel.unprivileged_userns_clone=1',
    )
  // Without these two programs, nothing was tried.
  if (trial === undefined || !programs.has('unshare') || !programs.has('ip')) return undefined
  if (sysctls['kernel/apparmor_restrict_unprivileged_userns'] === '1')
    return refuse(
      `AppArmor takes the rights from user namespaces on this machine (${trial}).`,
      'Allow them as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    )
  return refuse(`This process may not make a user namespace with a network (${trial}).`, inContainer)
}

/** Since this version, overlayfs can be mounted in a user namespace. */
const oldestKernel = { major: 5, minor: 11 }

function judgeKernel({ kernel }: LocalFacts): RightsFinding | undefined {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  if (major > oldestKernel.major || (major === oldestKernel.major && minor >= oldestKernel.minor)) return undefined
  return {
    loses: 'engine',
    problem: `An ordinary user cannot mount overlayfs with Linux ${kernel}.`,
    advice: 'Use Linux 5.11 or newer, or run testfleet as root.',
  }
}

/** Images of distributions have owners up to the number of `nobody`. */
const usualIds = 65_535

function judgeIds({ subordinate, mapTrial, noNewPrivileges, userId }: LocalFacts): RightsFinding | undefined {
  const { users, groups } = subordinate
  if (mapTrial !== undefined && noNewPrivileges)
    return {
      loses: 'owners',
      problem: 'newuidmap has no effect here, because this process may not gain rights (no_new_privs).',
      advice: 'Start it without that setting (NoNewPrivileges=no, or allowPrivilegeEscalation: true).',
    }
  if (mapTrial !== undefined)
    return {
      loses: 'owners',
      problem: `The further ids of this user cannot be used (${mapTrial}).`,
      advice: 'Install the package uidmap again: newuidmap and newgidmap have to be set-uid root.',
    }
  if (Math.min(users, groups) >= usualIds) return undefined
  const [file, count] = users <= groups ? ['/etc/subuid', users] : ['/etc/subgid', groups]
  return {
    loses: 'owners',
    problem:
      count === 0
        ? `This user has no further ids in ${file}, so files of images can have only one owner.`
        : `This user has only ${count} further ids in ${file}, so files of images cannot have all owners.`,
    advice: `Add a range as root: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 ${userId}`,
  }
}

function judgeTun({ tun }: LocalFacts): RightsFinding | undefined {
  if (tun === 'usable') return undefined
  return {
    loses: 'network',
    problem:
      tun === 'missing'
        ? 'There is no /dev/net/tun, so servers have no published ports and no way to other networks.'
        : 'This user may not open /dev/net/tun, so servers have no published ports and no way to other networks.',
    advice: tun === 'missing' ? 'Load the module as root: modprobe tun' : 'Allow it as root: chmod 666 /dev/net/tun',
  }
}
