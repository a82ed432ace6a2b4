import { observeSession } from '../containers/observe.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from './tools.ts'

/** What is taken down at the end must be what was put up: fails with NAME_TAKEN when something of the session is there. */
export async function refuseExisting(session: string, { engine, signal }: Tools): Promise<void> {
  const { isEmpty } = await observeSession(engine, session, { signal })
  if (isEmpty) return
  throw new TestfleetError('NAME_TAKEN', `the session ${session} is there already, and this one would end it`, {
    hint: 'Leave the name of the session out, or use one that is not there.',
  })
}
