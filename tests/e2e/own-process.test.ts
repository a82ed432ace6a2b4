import { once } from 'node:events'
import { get as getHttp, type IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFleet } from '../support/library.ts'
import { makeName } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const name = makeName('names')
type RunningFleet = Awaited<ReturnType<typeof startFleet>>
let fleet: RunningFleet

beforeAll(async () => {
  const servers = { web: { preset: 'nginx', options: { tls: true } }, cache: { preset: 'redis' } }
  fleet = (await startFleet({ name, servers })) as unknown as RunningFleet
}, 300_000)

afterAll(() => fleet?.down())

test('this process reaches nginx and redis by name, with sockets, agents and fetch', wide, async () => {
  const host = `web.${name}.test`
  const read = async (answer: IncomingMessage) => [answer.statusCode, (await text(answer)).includes('nginx')]
  const get = (ask: typeof getHttp, url: string, agent: RunningFleet['agent']) =>
    new Promise<IncomingMessage>((resolve, reject) => ask(url, { agent }, resolve).on('error', reject)).then(read)
  expect(await get(getHttps as typeof getHttp, `https://${host}/`, fleet.httpsAgent)).toEqual([200, true])
  expect((await get(getHttp, `http://${host}/`, fleet.agent))[0]).toBeLessThan(400)
  expect((await fleet.fetch(`https://${host}/`)).status).toBe(200)
  const socket = connect({ host: `cache.${name}.test`, port: 6379, lookup: fleet.lookup })
  socket.write('PING\r\n')
  expect(String((await once(socket, 'data'))[0])).toMatch(/^(\+PONG|-NOAUTH)/)
  socket.destroy()
})
