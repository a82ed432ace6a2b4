export interface RightsFinding {
  /**
   * What does not work because of it. `engine`: nothing works. `limits`: limits of memory, processors and processes,
   * pauses, and the memory of servers. `network`: published ports, and the way from servers to other networks. `owners`:
   * images whose files have several owners. `baseImages`: making base images from Debian's packages.
   * `nameServer`: names of servers for programs that do not read /etc/hosts.
   */
  readonly loses: Lost
  /** One sentence. */
  readonly problem: string
  /** What to do about it. */
  readonly advice: string
}

export type Lost = 'engine' | 'limits' | 'network' | 'owners' | 'baseImages' | 'nameServer'
