import { randomInt } from 'node:crypto'
import type { PortBinding } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import type { Port } from '../model/fleet.ts'

/** Below the ephemeral ports of common systems. */
const RANGE = { first: 20_000, end: 30_000 } as const

/**
 * Gives a port that is published more than once, such as 53/tcp and 53/udp or at two addresses, a single number: most
 * clients expect that, and the engine would choose different ones. If another program has the number, the start fails
 * with PORT_TAKEN.
 */
export function shareNumbers(
  ports: readonly PortBinding[],
  choose = (): number => randomInt(RANGE.first, RANGE.end),
): PortBinding[] {
  const chosen = new Set(ports.flatMap(({ host }) => host ?? []))
  const chooseNew = (): number => {
    const number = choose()
    if (chosen.has(number)) return chooseNew()
    chosen.add(number)
    return number
  }
  const numbers = new Map([...findShared(ports)].map((container) => [container, chooseNew()]))
  return ports.map((port) => ({ ...port, host: port.host ?? numbers.get(port.container) }))
}

const MOST_STARTS = 5

interface Starting {
  /** Whether it asks for its predecessor's numbers. The next try asks for other ones. */
  readonly hasKeptPorts: boolean
  start(): Promise<void>
  /** Creates the server again, with other numbers. */
  makeAgain(): Promise<void>
}

/** Starts a server. If a chosen port number is taken, creates the server again with other numbers. */
export async function startWithNumbers(
  ports: readonly Port[],
  { hasKeptPorts, start, makeAgain }: Starting,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      const isChosen = findShared(ports).size > 0 || (hasKeptPorts && tries === 1)
      if (!isFailure(error, 'PORT_TAKEN') || !isChosen || tries === MOST_STARTS) throw error
    }
    await makeAgain()
  }
}

function findShared(ports: readonly Port[]): ReadonlySet<number> {
  const free = Map.groupBy(
    ports.filter(({ host }) => host === undefined),
    ({ container }) => container,
  )
  return new Set([...free].flatMap(([container, bindings]) => (bindings.length > 1 ? [container] : [])))
}
