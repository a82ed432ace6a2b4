import { readDurationMs } from '../../formats/duration.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { DockerHome } from './docker-config.ts'

const variable = 'TESTFLEET_ENGINE_TIMEOUT'
const defaultMs = 30_000

/** How long one answer of the engine may take. Fails with ENGINE_CONFIGURATION. */
export function readAnswerTimeout({ environment }: Pick<DockerHome, 'environment'>): number {
  const text = environment[variable]
  if (text === undefined || text === '') return defaultMs
  const timeoutMs = readDurationMs(text)
  if (timeoutMs !== undefined && timeoutMs > 0) return timeoutMs
  throw new TestfleetError('ENGINE_CONFIGURATION', `${variable} is ${JSON.stringify(text)}, which is no duration`, {
    hint: 'It says how long one answer of the engine may take, such as 500ms, 30s or 2m.',
  })
}
