import type { StandbyReport } from '../api/types/warm.ts'
import { formatDuration } from '../formats/duration.ts'
import { readSizeBytes } from '../formats/size.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer, formatCopies } from './answer.ts'
import { type Call, clientOf, durationOption, flag, numberOption, textOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const stop = flag(call, 'stop')
  const report = await clientOf(call).warm(call.file, {
    standby: numberOption(call, 'standby'),
    idleMs: durationOption(call, 'idle'),
    memoryBytes: readMemory(call),
    stop,
    signal: call.signal,
  })
  return answer(call, report, stop ? formatStopped(report) : formatReady(report))
}

function readMemory(call: Call): number | undefined {
  const text = textOption(call, 'memory')
  const bytes = readSizeBytes(text)
  if (text === undefined || bytes !== undefined) return bytes
  throw new TestfleetError('USAGE', `--memory takes a size such as 512m or 2g, not ${JSON.stringify(text)}`)
}

function formatStopped({ ready }: StandbyReport): string {
  if (ready.length === 0) return 'there were no standby copies\n'
  return `${formatCopies(ready.length)} removed\n`
}

function formatReady({ ready, standby, memoryBytes, memoryLimitBytes, paused, idleMs }: StandbyReport): string {
  const state = paused ? 'paused' : 'running'
  const limit = memoryLimitBytes === undefined ? '' : ` (at most ${wordSize(memoryLimitBytes)})`
  const memory = memoryBytes === undefined ? '' : `, ${wordSize(memoryBytes)} of memory${limit}`
  const idle = `removed after ${formatDuration(idleMs)} without use`
  return `${ready.length} of ${standby} standby copies ready, ${state}${memory}; ${idle}\n`
}

function wordSize(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`
}
