import { connect } from 'node:net'
import type { Contestants } from './contestants.ts'
import { median } from './statistics.ts'

/** Times of one round, in milliseconds. */
export interface Round {
  readonly floorUp: number
  readonly testfleetUp: number
  /** Time of an `up` with nothing to do. */
  readonly secondUp: number
  readonly floorDown: number
  readonly testfleetDown: number
}

const SECOND_UPS = 5

/** Runs both in turn: each brings `count` servers up and takes them down. */
export async function measureRound(contestants: Contestants, count: number, isFloorFirst: boolean): Promise<Round> {
  const before = isFloorFirst ? await measureFloor(contestants, count) : undefined
  const testfleet = await measureTestfleet(contestants, count)
  return { ...(before ?? (await measureFloor(contestants, count))), ...testfleet }
}

async function measureFloor(contestants: Contestants, count: number): Promise<Pick<Round, 'floorUp' | 'floorDown'>> {
  const up = await contestants.floorUp(count)
  const down = await contestants.floorDown()
  return { floorUp: up.tookMs, floorDown: down.tookMs }
}

async function measureTestfleet(
  contestants: Contestants,
  count: number,
): Promise<Pick<Round, 'testfleetUp' | 'secondUp' | 'testfleetDown'>> {
  const up = await contestants.testfleetUp(count)
  await verifyPing(up.stdout, count)
  const secondUps: number[] = []
  while (secondUps.length < SECOND_UPS) secondUps.push((await contestants.testfleetUp(count)).tookMs)
  const down = await contestants.testfleetDown()
  return { testfleetUp: up.tookMs, secondUp: median(secondUps), testfleetDown: down.tookMs }
}

interface UpReport {
  readonly servers: Record<string, { readonly endpoints: Record<string, { host: string; port: number }> }>
}

/** Checks that each server reported as ready answers at the first try. */
async function verifyPing(report: string, count: number): Promise<void> {
  const servers = Object.values((JSON.parse(report) as UpReport).servers)
  const answers = await Promise.all(servers.map(({ endpoints }) => sendPing(endpoints['6379/tcp'])))
  if (answers.length !== count || answers.some((answer) => answer !== '+PONG\r\n')) {
    throw new Error(`of ${count} ready servers, these answered PING: ${JSON.stringify(answers)}`)
  }
}

function sendPing(endpoint: { host: string; port: number } | undefined): Promise<string> {
  return new Promise((resolve) => {
    if (endpoint === undefined) return resolve('no endpoint')
    const socket = connect({ ...endpoint, timeout: 1000 }, () => socket.write('PING\r\n'))
    const settle = (answer: string): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('latin1').once('data', settle)
    socket.once('timeout', () => settle('silence')).once('close', () => settle('closed'))
    socket.once('error', ({ message }) => settle(message))
  })
}
