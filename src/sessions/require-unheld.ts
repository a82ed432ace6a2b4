import { requireNoOthers } from './holders.ts'
import { markGone } from './own-container.ts'
import type { StoredRecord } from './store.ts'
import type { ChangeTools } from './tools.ts'

/** Fails with SESSION_BUSY when others hold the session. `hint` replaces that of `requireNoOthers`. */
export async function requireUnheld(
  record: StoredRecord,
  { runtime, signal, host }: Pick<ChangeTools, 'runtime' | 'signal' | 'host'>,
  hint?: string,
): Promise<void> {
  for (const marked of await markGone([record], runtime, { signal })) requireNoOthers(marked, host.processId, hint)
}
