import { TestfleetError } from '../model/failures.ts'
import type { Protocol, ReadyCheck } from '../model/fleet.ts'

/** One ready check at work: resolves once it holds, tries until the signal fires, tells each answer that was not it. */
export interface RunningCheck {
  /** Such as `http :80/`. */
  readonly name: string
  hold(signal: AbortSignal, onAnswer: (answer: string) => void): Promise<void>
}

/** Where a probe can reach a port of the server. */
export interface Reach {
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** Where tests reach it; undefined for a port that is not published. */
  published(port: number, protocol?: Protocol): Address | undefined
  /** Where it stands on its own network, when this machine has a route there that leads nowhere else. */
  direct(port: number): Address | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** The published port where there is one, as tests go that way. Fails with PORT_UNREACHABLE when there is no way at all. */
export function addressOf(reach: Reach, port: number, protocol: Protocol = 'tcp'): Address {
  const address = reach.published(port, protocol) ?? reach.direct(port)
  if (address !== undefined) return address
  throw new TestfleetError(
    'PORT_UNREACHABLE',
    `the port ${port} is not published, and this machine has no way into the engine's network`,
    {
      hint: `List the port${protocol === 'tcp' ? '' : ` as "${port}/${protocol}"`} in \`ports\`, or use an \`exec\` check.`,
    },
  )
}

/** Result of one try; `isSilent` when nothing came back in time. */
export type Answer =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly answer: string; readonly isSilent: boolean }

/** One try, which waits for an answer for `patienceMs` once it is connected. */
export type Probe = (signal: AbortSignal, patienceMs: number) => Promise<Answer>

export const ready: Answer = { isReady: true }

export function notYet(answer: string): Answer {
  return { isReady: false, answer, isSilent: false }
}

export function silent(answer: string): Answer {
  return { isReady: false, answer, isSilent: true }
}

export function nameCheck(check: ReadyCheck): string {
  switch (check.kind) {
    case 'tcp':
      return `tcp :${check.port}`
    case 'http':
    case 'https':
      return `${check.kind} :${check.port}${check.path}`
    case 'exec':
      return `exec ${check.command[0]}`
    case 'log':
      return `log ${JSON.stringify(check.text)}`
    case 'healthcheck':
      return 'healthcheck'
    case 'exit':
      return `exit ${check.code}`
    default:
      return `${check.kind} :${check.port}`
  }
}
