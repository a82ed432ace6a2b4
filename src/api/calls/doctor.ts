import { diagnose } from '../../doctor.ts'
import { withTools } from '../call.ts'
import type { Diagnosis } from '../types/doctor.ts'
import type { CallOptions, TestfleetOptions } from '../types/options.ts'

export function doctor(client: TestfleetOptions, options: CallOptions): Promise<Diagnosis> {
  return withTools(client, options, ({ engine, signal }) => diagnose(engine, signal))
}
