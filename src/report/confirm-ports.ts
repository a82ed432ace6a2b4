import type { ContainerSummary } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Tools } from '../tools.ts'

/** Fails with PORT_TAKEN when it was another program that answered. */
export async function confirmPorts(
  server: string,
  { id }: Pick<ContainerSummary, 'id'>,
  { runtime }: Pick<Tools, 'runtime'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await runtime.confirmPorts?.(id, { signal })
  } catch (error) {
    if (!isFailure(error, 'PORT_TAKEN')) throw error
    const { message, hint } = error
    throw new TestfleetError('PORT_TAKEN', `${server}: ${message}`, { server, hint, cause: error })
  }
}
