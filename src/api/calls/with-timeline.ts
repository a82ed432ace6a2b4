import { openTimeline } from '../../timeline/timeline.ts'
import { type CallSettings, hostOf } from '../call.ts'
import { describeFailure } from '../operation.ts'

export interface TimelineRequest<Result> {
  /** Name of the call. */
  readonly name: string
  readonly files: string | readonly string[]
  readonly settings: CallSettings
  readonly signal: AbortSignal | undefined
  work(settings: CallSettings): Promise<Result>
  /** Undoes a call whose caller does not get the result. */
  undo(result: Result): Promise<void>
}

/** Does the work of a call, and writes its timeline when it has ended, however it ended. */
export async function withTimeline<Result>(request: TimelineRequest<Result>): Promise<Result> {
  const { name, files, settings, signal } = request
  const timeline = await openTimeline(name, [files].flat(), hostOf(settings))
  let mask = (text: string): string => text
  const watched: CallSettings = {
    ...settings,
    onEvent(event) {
      timeline.note(event)
      settings.onEvent(event)
    },
    onMask(known) {
      mask = known
    },
  }
  let result: Result
  try {
    result = await request.work(watched)
  } catch (error) {
    const { outcome, message } = describeFailure(error, signal)
    for (const problem of await timeline.write({ outcome, message }, mask)) tell(problem, settings)
    throw error
  }
  try {
    for (const problem of await timeline.write({ outcome: 'ok', message: undefined }, mask)) tell(problem, settings)
  } catch (thrown) {
    await request.undo(result)
    throw thrown
  }
  return result
}

/** The result of the call is worth more than its timeline. */
function tell(message: string, { onEvent }: CallSettings): void {
  onEvent({ kind: 'warned', message })
}
