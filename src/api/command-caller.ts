import { currentHost } from '../current-host.ts'
import { listHandedDescriptors } from '../names/names.ts'
import type { CommandCaller } from './types/run.ts'

/** Describes the caller of this process for the command that it is to run. Call it before anything is opened. */
export function describeCaller(caller: Omit<CommandCaller, 'descriptors'>): CommandCaller {
  return { ...caller, descriptors: listHandedDescriptors(currentHost()) }
}
