import { diagnose } from '../../doctor.ts'
import { type CallSettings, withTools } from '../call.ts'
import type { Diagnosis } from '../types/doctor.ts'
import type { CallOptions } from '../types/options.ts'

export function doctor(client: CallSettings, options: CallOptions): Promise<Diagnosis> {
  return withTools(client, options, diagnose, { isQuiet: true })
}
