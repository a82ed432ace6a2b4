import { eachServer } from '../each.ts'

const LONGEST_MS = 10 * 60_000

/** What is waited for, and for how long. */
export const findReadiness = eachServer(function* ({ name, ready, readyTimeoutMs, dependsOn }, { fleet }) {
  const at: readonly string[] = ['servers', name]
  if (ready.length === 0) yield { id: 'ready-missing', at: { key: at }, message: 'nothing says when it is ready' }
  else if (ready.every(({ kind }) => kind === 'log'))
    yield { id: 'ready-log-only', at: { value: [...at, 'ready'] }, message: 'its log alone is read' }
  if (readyTimeoutMs > LONGEST_MS) {
    const message = `it is waited for up to ${Math.round(readyTimeoutMs / 60_000)} minutes`
    yield { id: 'ready-timeout-long', at: { value: [...at, 'readyTimeout'] }, message }
  }
  for (const [index, needed] of dependsOn.entries()) {
    if (fleet.servers.get(needed)?.ready.length !== 0) continue
    const place = { value: [...at, 'dependsOn', index] }
    yield { id: 'dependency-without-ready', at: place, message: `nothing says when \`${needed}\` is ready` }
  }
})
