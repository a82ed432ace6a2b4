import { readDurationMs } from '../formats/duration.ts'
import { readSizeBytes } from '../formats/size.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import { DEFAULT_IDLE_MS, type Standby } from '../model/standby.ts'

/** Applies the defaults of the key `standby`. */
export function resolveStandby(declared: NonNullable<FleetFile['standby']>): Standby {
  const { size, idle, memory }: Exclude<typeof declared, number> =
    typeof declared === 'number' ? { size: declared } : declared
  return { size, idleMs: readDurationMs(idle) ?? DEFAULT_IDLE_MS, memoryBytes: readSizeBytes(memory) }
}
