/** What was found on this machine, without a judgement. */
export interface LocalFacts {
  readonly userId: number
  /** As Node names it: `x64`, `arm64` … */
  readonly architecture: string
  /** Version of the kernel, such as `6.1.0-18-amd64`. */
  readonly kernel: string
  /** Names of installed programs, of those that are looked for. */
  readonly programs: ReadonlySet<string>
  /** Contents of files below /proc/sys, by path; undefined for those that do not exist. */
  readonly sysctls: Readonly<Record<string, string | undefined>>
  /** How many further ids of users and of groups this user may use. */
  readonly subordinate: { readonly users: number; readonly groups: number }
  /** Whether this process, and all that it starts, can never gain rights by a set-uid program. */
  readonly noNewPrivileges: boolean
  readonly cgroups: 'none' | 'v1' | 'hybrid' | 'v2'
  readonly areCgroupsWritable: boolean
  readonly tun: 'usable' | 'missing' | 'forbidden'
  /** What failed when namespaces, with a bridge in them, were made on trial; undefined when that worked. */
  readonly trial: string | undefined
  /** The same for a user namespace with the subordinate ids; undefined, too, when it was not tried. */
  readonly mapTrial: string | undefined
  readonly folder: FolderFacts
}

/** The nearest existing folder of a path. */
export interface FolderFacts {
  readonly path: string
  readonly existing: string
  readonly isWritable: boolean
  /** Type of the file system, as statfs(2) tells it. */
  readonly type: number
  readonly freeBytes: number
  readonly freeFiles: number
  /** Options of its mount, such as `noexec`. */
  readonly options: readonly string[]
}
