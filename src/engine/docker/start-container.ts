import { isFailure } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import { type Client, path } from './client.ts'
import { pause } from './repeat.ts'
import { explainStart } from './start-failure.ts'
import type { WireContainer } from './wire.ts'

/** How many answers' time it takes. */
const startAnswers = 4
const longestPauseMs = 800

/**
 * A start that is broken off is looked after: what runs was started, and what is as it was created is started again. One
 * that has ended may have done its work, and must not do it twice: then the failure stands.
 */
export async function startContainer(client: Client, id: string, options: CallOptions | undefined): Promise<void> {
  const limited = client.within(options, startAnswers)
  for (let pauseMs = 50; ; pauseMs *= 4) {
    try {
      await client.done({ method: 'POST', path: path`/containers/${id}/start`, ...limited, refine: explainStart })
      return
    } catch (error) {
      if (!isFailure(error, 'ENGINE_LOST')) throw error
      await pause(pauseMs, limited.signal)
      const state = await readState(client, id, limited)
      if (state === 'running') return
      if (state !== 'created' || pauseMs >= longestPauseMs) throw error
    }
  }
}

async function readState(client: Client, id: string, options: CallOptions): Promise<string> {
  const call = { method: 'GET', path: path`/containers/${id}/json`, ...options } as const
  return (await client.object<WireContainer>(call)).State?.Status ?? ''
}
