import { wordError } from '../formats/word-error.ts'
import { DEFAULT_IDLE_MS, type Standby } from '../model/standby.ts'
import type { Tools } from '../tools.ts'
import type { CallSettings } from './call.ts'
import { describeSource } from './standby-source.ts'
import type { Source } from './types/options.ts'

/**
 * Has copies of a fleet held that was just started: the next start takes one. Never fails: the fleet runs without them.
 * `wanted` is the key of the fleet file, or an option of the call.
 */
export async function holdCopies(
  { onEvent, engine, insecureEngine }: CallSettings,
  source: Source,
  wanted: Standby | number | false | undefined,
  { host, signal }: Pick<Tools, 'host' | 'signal'>,
): Promise<void> {
  if (wanted === undefined || wanted === false) return
  try {
    const found = await describeSource(source, host)
    if (found === undefined) {
      onEvent({ kind: 'warned', message: 'there are no standby copies of a fleet file that is a program' })
      return
    }
    // Loaded on demand: most fleets have no copies.
    const { startHolding } = await import('../standby/control.ts')
    const settings =
      typeof wanted === 'number' ? { size: wanted, idleMs: DEFAULT_IDLE_MS, memoryBytes: undefined } : undefined
    const lender = await startHolding({ source: found, settings, engine, insecureEngine }, host, signal)
    lender.close()
  } catch (error) {
    if (signal.aborted) return
    onEvent({ kind: 'warned', message: `no standby copies are held: ${wordError(error)}` })
  }
}
