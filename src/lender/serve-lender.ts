import { currentHost } from '../current-host.ts'
import { wordError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { claimSocket, sweepDeadSockets } from './claim-socket.ts'
import { type LineServer, openLineServer } from './line-server.ts'
import type { LenderOrder, LenderReady } from './protocol.ts'

/** What a service of a lender works with. */
export interface LenderTools {
  /** This process, with the variables of the order as its environment. */
  readonly host: Host
  /** Fires when the lender is asked to end. The service then cleans up and resolves. */
  readonly signal: AbortSignal
  /** Gives the path up, so that another lender can serve it while this one cleans up. Its clients stay connected. */
  release(): void
}

/** Serves clients until there is nothing left to do. The lender ends when it resolves. */
export type Service<Order extends LenderOrder = LenderOrder> = (
  order: Order,
  server: LineServer,
  tools: LenderTools,
) => Promise<void>

/** Reads the order, claims the socket, and runs the service of the order's kind. Loads a service only when it serves it. */
export async function serveLender(
  services: Readonly<Record<string, () => Promise<{ serve: Service<never> }>>>,
  { stdin, stdout, signal }: Pick<NodeJS.Process, 'stdin' | 'stdout'> & { readonly signal: AbortSignal },
): Promise<void> {
  const ready = (content: LenderReady): void => void stdout.write(`${JSON.stringify(content)}\n`)
  const order = await readOrder(stdin)
  const load = order === undefined ? undefined : Object.getOwnPropertyDescriptor(services, order.kind)?.value
  if (order === undefined || load === undefined) return ready({ isServing: false, problem: 'its order is not known' })
  const { lines, accept } = openLineServer()
  const claimed = await claimSocket(order.socket, accept).catch((error: unknown) => {
    ready({ isServing: false, problem: wordError(error), hint: isFailure(error) ? error.hint : undefined })
    throw error
  })
  if (claimed === undefined) return ready({ isServing: false })
  try {
    ready({ isServing: true })
    await sweepDeadSockets(order.socket)
    const { serve } = await load()
    const host = { ...ownHost(), environment: order.environment ?? {} }
    await serve(order as never, lines, { host, signal, release: claimed.release })
  } finally {
    // Nobody connects to a lender that ends.
    claimed.release()
    lines.close()
  }
}

/** The starter closes its side after the order. Undefined when it ended before, or wrote no JSON. */
async function readOrder(input: NodeJS.ReadableStream): Promise<LenderOrder | undefined> {
  let text = ''
  input.setEncoding('utf8')
  for await (const chunk of input) text += chunk
  try {
    return text.endsWith('\n') ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** A process without a working folder of its own: paths in orders are absolute. */
function ownHost(): Host {
  return { ...currentHost('/'), workingFolder: '/' }
}
