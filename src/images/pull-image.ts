import type { CallOptions, Engine } from '../engine/engine.ts'
import type { OnEvent } from '../model/events.ts'

export interface Pull {
  readonly reference: string
  readonly platform: string | undefined
  readonly servers: readonly string[]
}

/** Pulls with progress. Fails with PULL_FAILED or IMAGE_NOT_FOUND. */
export async function pullImage(pull: Pull, engine: Engine, onEvent: OnEvent, options: CallOptions): Promise<void> {
  const { reference, platform, servers } = pull
  onEvent({ kind: 'pulling', reference, servers, status: 'asking the registry' })
  await engine.pullImage(
    reference,
    {
      platform,
      onProgress: ({ status, currentBytes, totalBytes }) => {
        const share = totalBytes > 0 ? ` ${Math.floor((currentBytes / totalBytes) * 100)} %` : ''
        onEvent({ kind: 'pulling', reference, servers, status: `${status}${share}` })
      },
    },
    options,
  )
}
