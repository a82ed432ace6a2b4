/** What the program knows about its surroundings. Passed in, so that nothing below reads the process itself. */
export interface Host {
  readonly workingFolder: string
  readonly homeFolder: string
  readonly temporaryFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What credential helpers get where it is noted which variables of `environment` are read. Default: `environment`. */
  readonly helperEnvironment?: Host['environment'] | undefined
  /** Where sockets are looked for where it is noted which variables of `environment` are read. Default: `environment`. */
  readonly socketEnvironment?: Host['environment'] | undefined
  readonly platform: NodeJS.Platform
  readonly userId: number | undefined
  readonly groupId: number | undefined
  readonly processId: number
  readonly parentProcessId: number
  readonly keeperFile: string
  /** Path of the program that prepares and lends servers. */
  readonly lenderFile: string
  /** Path of the program that runs a server without a container. */
  readonly supervisorFile: string
  readonly presetsFolder: string
  /** Module that Node loads under `run` when only a hook can resolve the names of servers. */
  readonly nodeHookFile: string
  /** Program that ends the command of `run` when testfleet is killed. */
  readonly commandGuardFile: string
  /** user@host */
  readonly owner: string
}

/** An argument of testfleet's clean-up processes, which are not ended together with the process that started them. */
export const OUTLIVES_STARTER = '--outlives-its-starter'
