/** What the program knows of where it runs. Passed in, so that nothing below reads the process by itself. */
export interface Host {
  readonly workingFolder: string
  readonly homeFolder: string
  readonly temporaryFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly userId: number | undefined
  readonly groupId: number | undefined
  readonly processId: number
  readonly parentProcessId: number
  readonly keeperFile: string
  readonly presetsFolder: string
  /** What Node loads under `run` where only a hook can give it the names of servers. */
  readonly nodeHookFile: string
  /** The program that ends the command of `run` when testfleet is killed. */
  readonly commandGuardFile: string
  /** user@host */
  readonly owner: string
}

/** An argument of the processes that testfleet starts to clean up after it: they are not ended with what has started them. */
export const OUTLIVES_STARTER = '--outlives-its-starter'
