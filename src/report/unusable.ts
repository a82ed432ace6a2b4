import type { SessionReport } from '../model/running.ts'

/** A sentence for each server that a command cannot use, because a call has stopped or paused it, or it has ended. */
export function describeUnusable({ servers }: Pick<SessionReport, 'servers'>): string[] {
  return Object.entries(servers).flatMap(([name, { state }]) => {
    if (state === 'paused') return [`${name} is paused and answers nothing`]
    return state === 'exited' ? [`${name} does not run, so the variables that name its address lead nowhere`] : []
  })
}
