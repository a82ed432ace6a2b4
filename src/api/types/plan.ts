import type { BindOptions, FleetOptions, SessionOptions } from './options.ts'

/** Options of `plan`. */
export interface PlanOptions extends FleetOptions, BindOptions, Pick<SessionOptions, 'session'> {}

/** Result of `plan`: what `up` would do. */
export interface PlanResult {
  /** Name of the session. */
  readonly session: string
  /** Operations, each after the ones that it needs. */
  readonly operations: readonly PlannedOperation[]
  /** Images that servers of the plan use and that the engine has. */
  readonly images: readonly PlannedImage[]
  /** The plan as `testfleet plan` prints it. */
  readonly text: string
}

/** An operation of a plan, such as the start of a server. */
export interface PlannedOperation {
  /** Unique in its plan. */
  readonly id: string
  /** Kind of the operation, such as `buildImage`, `startServer` or `keepServer`. */
  readonly kind: string
  /** Ids of the operations that must be done before it. */
  readonly needs: readonly string[]
  /** Server that the operation is about. */
  readonly server?: string
  /** Why the plan has the operation. */
  readonly reason?: string
}

/** An image that a plan uses. */
export interface PlannedImage {
  readonly reference: string
  /** Packages that the fleet file asks for, with the versions that were installed. */
  readonly packages: Readonly<Record<string, string>>
}
