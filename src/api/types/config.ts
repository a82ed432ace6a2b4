import type { FleetFile } from '../../model/fleet-file.ts'

/** A fleet file as it takes effect. */
export interface EffectiveFleet {
  /** The fleet file, with presets filled in and defaults written out. Its relative paths start at the folder of the file. */
  readonly config: FleetFile
  /** Whether secrets in plain text were replaced by `***`. If not, `config` is the same fleet. */
  readonly isMasked: boolean
}
