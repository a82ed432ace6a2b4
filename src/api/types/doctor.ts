/** Result of `doctor`: which engine is used, and what is wrong with it. */
export interface Diagnosis {
  readonly location: {
    /** Such as `unix:///var/run/docker.sock`. */
    readonly url: string
    /** What named the engine: an option, a variable, a context, or a default socket. */
    readonly because: string
    /** Name or address of the engine's machine; undefined when it is this machine. */
    readonly remoteHost: string | undefined
  }
  readonly version: {
    /** Such as `Docker Engine` or `Podman Engine`. */
    readonly product: string
    readonly version: string
    /** The version of the API that testfleet uses, the newest and the oldest that the engine knows. */
    readonly api: string
    readonly apiMax: string
    readonly apiMin: string
    readonly os: string
    readonly arch: string
  }
  readonly info: {
    readonly operatingSystem: string
    readonly storageDriver: string
    readonly cgroupVersion: string
    readonly isRootless: boolean
    readonly cpus: number
    readonly memoryBytes: number
    readonly warnings: readonly string[]
  }
  /** The standby copies of all fleets on the engine; undefined when there are none. */
  readonly standby:
    | {
        readonly copies: number
        /** Memory of all of them together; undefined when the engine does not tell. */
        readonly memoryBytes: number | undefined
        /** Names of the fleets. */
        readonly fleets: readonly string[]
      }
    | undefined
  /** Problems of the engine that can make a fleet fail. */
  readonly findings: readonly EngineProblem[]
}

/** Something that is wrong with the engine, and what to do about it. */
export interface EngineProblem {
  readonly problem: string
  readonly advice: string
}
