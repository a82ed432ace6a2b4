import type { Position } from './fleet.ts'

/** From the least to the most. */
export const severities = ['low', 'medium', 'high', 'critical'] as const

export type Severity = (typeof severities)[number]

/** What `check` can find in a fleet that is valid. The catalogue in `audit/` says what each of them means. */
export const findingIds = [
  'image-not-pinned',
  'image-without-digest',
  'image-end-of-life',
  'image-registry-plain',
  'secret-in-environment',
  'secret-looking-value',
  'secret-in-build',
  'secret-in-label',
  'secret-in-command',
  'secret-in-content',
  'secret-in-copied-file',
  'secret-in-export',
  'secret-in-run',
  'password-in-url',
  'private-key',
  'secret-short',
  'secret-as-environment',
  'copy-world-writable',
  'copy-setuid',
  'tmpfs-world-writable',
  'mount-writable',
  'mount-fleet-folder',
  'sensitive-file-copied',
  'sensitive-file-mounted',
  'leads-outside',
  'runs-as-root',
  'privileged',
  'engine-socket',
  'new-privileges',
  'capability-added',
  'capabilities-kept',
  'sysctl-weakens',
  'port-off-loopback',
  'plaintext-off-loopback',
  'low-host-port',
  'engine-port',
  'host-shadowed',
  'protection-off',
  'pipe-to-shell',
  'chmod-world-writable',
  'packages-not-verified',
  'tls-not-verified',
  'apt-key',
  'plain-http-source',
  'sudo-in-run',
  'packages-not-pinned',
  'shell-evaluates',
  'dockerfile-without-user',
  'dockerfile-add-url',
  'ready-missing',
  'ready-log-only',
  'ready-timeout-long',
  'dependency-without-ready',
  'memory-unlimited',
  'tmpfs-unsized',
  'server-unused',
  'ignore-unused',
] as const

export type FindingId = (typeof findingIds)[number]

/** What a fleet file can ask to leave out. */
export const ignorableIds = findingIds.filter((id) => id !== 'ignore-unused')

/** One thing in a fleet that can be attacked, leak, or break; plain data, which JSON and SARIF are made from. */
export interface Finding extends Position {
  readonly id: FindingId
  readonly severity: Severity
  /** Undefined where it is about the fleet, or about the base of several servers. */
  readonly server: string | undefined
  readonly message: string
  readonly why: string
  readonly hint: string
  /** Such as `CWE-798`. */
  readonly cwe: string
}
