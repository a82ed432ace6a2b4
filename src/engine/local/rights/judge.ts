import type { LocalFacts } from './facts.ts'
import type { RightsFinding } from './finding.ts'
import { judgeFolder } from './judge-folder.ts'
import { judgeUser } from './judge-user.ts'
import { neededPrograms } from './packages.ts'

/** Says what does not work, what stops everything first. Pure. */
export function judgeFacts(facts: LocalFacts): readonly RightsFinding[] {
  const findings = [
    ...judgeMachine(facts),
    ...judgePrograms(facts),
    ...(facts.userId === 0 ? judgeRoot(facts) : judgeUser(facts)),
    ...judgeFolder(facts.folder, facts.userId),
  ]
  const stops = findings.filter(({ loses }) => loses === 'engine')
  return [...stops, ...findings.filter(({ loses }) => loses !== 'engine')]
}

/** Processors that Debian has all packages for, and that runc's filters know. */
const architectures = ['x64', 'arm64']

function judgeMachine({ architecture, cgroups, programs }: LocalFacts): readonly RightsFinding[] {
  const findings: RightsFinding[] = []
  if (!architectures.includes(architecture))
    findings.push({
      loses: 'engine',
      problem: `The local engine does not know this kind of processor (${architecture}).`,
      advice: 'Use a container engine, or a machine with an amd64 or arm64 processor.',
    })
  if (cgroups === 'hybrid' && programs.has('crun') && !programs.has('runc'))
    findings.push({
      loses: 'engine',
      problem: 'crun does not work with the cgroups of this machine, which has both versions of them.',
      advice: 'Install the package runc.',
    })
  return findings
}

function judgePrograms({ programs, userId }: LocalFacts): readonly RightsFinding[] {
  return neededPrograms
    .filter(({ neededBy }) => neededBy === 'everybody' || userId !== 0)
    .filter(({ names }) => !names.some((name) => programs.has(name)))
    .map(({ names, package: name, loses }) => ({
      loses,
      problem: `${names.join(' or ')} is not installed.`,
      advice: `Install the package ${name}.`,
    }))
}

function judgeRoot({ trial, programs, cgroups, areCgroupsWritable }: LocalFacts): readonly RightsFinding[] {
  const findings: RightsFinding[] = []
  // Without these two programs, nothing was tried.
  if (trial !== undefined && programs.has('unshare') && programs.has('ip'))
    findings.push({
      loses: 'engine',
      problem: `This process may not make namespaces and networks (${trial}).`,
      advice: 'Run it outside of a container, or in one with all rights (--privileged).',
    })
  if (cgroups === 'none' || !areCgroupsWritable)
    findings.push({
      loses: 'limits',
      problem:
        cgroups === 'none'
          ? 'There are no cgroups at /sys/fs/cgroup, so servers have no limits and cannot be paused.'
          : 'The cgroups at /sys/fs/cgroup cannot be changed, so servers have no limits and cannot be paused.',
      advice: 'Mount them writable, or run outside of a container.',
    })
  return findings
}
