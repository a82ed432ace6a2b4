import type { FleetEvent } from '../model/events.ts'

/** Shows events while they come. */
export interface Progress {
  onEvent(event: FleetEvent): void
  end(): void
}
