import { hostOf, loadSource } from '../call.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'
import { renderFleetTypes } from './render-fleet-types.ts'

export async function types(client: TestfleetOptions, source: Source): Promise<string> {
  return renderFleetTypes(await loadSource(source, [], hostOf(client)))
}
