import { maskSecretTexts } from '../../audit/audit.ts'
import { describeEffectiveFleet } from '../../config/effective-fleet.ts'
import { loadFilledFleet } from '../../config/load-fleet.ts'
import { createMask } from '../../failure/mask.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import { hostOf } from '../call.ts'
import type { EffectiveFleet } from '../types/config.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'

/** Shorter texts, such as `guest`, are also ordinary words. They are masked only where they are secrets. */
const SHORTEST = 8

export async function describeConfig(client: TestfleetOptions, source: Source): Promise<EffectiveFleet> {
  const host = hostOf(client)
  const origin =
    typeof source === 'object'
      ? ({ kind: 'object', value: source, folder: host.workingFolder } as const)
      : ({ kind: 'file', named: source } as const)
  const { value, secrets } = maskSecretTexts(describeEffectiveFleet(await loadFilledFleet(origin, host)))
  const everywhere = createMask([...secrets].filter(({ length }) => length >= SHORTEST))
  return { config: everywhere.json(value) as FleetFile, isMasked: secrets.size > 0 }
}
