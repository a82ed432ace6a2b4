import type { BindOptions, FleetOptions, SessionOptions } from './options.ts'

export interface PlanOptions extends FleetOptions, BindOptions, Pick<SessionOptions, 'session'> {}

/** What `up` would do. */
export interface PlanResult {
  /** The session's name. */
  readonly session: string
  /** Each after all that it needs. */
  readonly operations: readonly PlannedOperation[]
  /** Images that are there and that servers of the plan use. */
  readonly images: readonly PlannedImage[]
  /** The plan as `testfleet plan` prints it. */
  readonly text: string
}

export interface PlannedOperation {
  readonly id: string
  /** Such as `buildImage`, `startServer` or `keepServer`. */
  readonly kind: string
  /** Ids of the operations that are done before it. */
  readonly needs: readonly string[]
  readonly server?: string
  readonly reason?: string
}

export interface PlannedImage {
  readonly reference: string
  /** The packages that the fleet file asks for in it, with the versions that were installed. */
  readonly packages: Readonly<Record<string, string>>
}
