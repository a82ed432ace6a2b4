import { TestfleetError } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import type { Client } from './client.ts'
import { imageVerbs } from './images.ts'

/**
 * Fails with ENGINE_LOST when the image that was to be made is not there: an answer in lines that is cut between two of
 * them looks like one that has ended.
 */
export async function expectImage(client: Client, reference: string, { signal }: CallOptions): Promise<void> {
  if ((await imageVerbs(client).inspectImage(reference, { signal })) !== undefined) return
  const message = `the engine at ${client.location.url} stopped telling of ${reference} before the image was there`
  throw new TestfleetError('ENGINE_LOST', message, { hint: 'Did the engine stop? Look at its log.' })
}
