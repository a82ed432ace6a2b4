import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'chrony' },
    secure: { preset: 'chrony', options: { stratum: 3, key: 7, tls: true } },
  })
})

afterAll(() => session.end())

/** A client that asks once and sets nothing, with a key where there is one. */
function askClock(source: string, key = '7 SHA256 HEX:00', ...more: string[]): readonly string[] {
  const script = `printf '%s\\n' "$KEY" > /tmp/asking; exec chronyd -U -u root -Q -t 4 "$@"`
  const own = ['port 0', 'cmdport 0', 'bindcmdaddress /', 'pidfile /tmp/asking.pid', 'keyfile /tmp/asking']
  return ['env', `KEY=${key}`, 'sh', '-c', script, 'ask', source, ...own, ...more]
}

async function clock(...asking: Parameters<typeof askClock>): Promise<string> {
  const { stdout, stderr } = await session.client(...askClock(...asking))
  return stdout + stderr
}

const right = /System clock wrong by -?0\.0\d+ seconds/
const nothing = /Timeout reached|No suitable source/

test('serves the time of this machine without options, to the network and to the host', async () => {
  expect(await clock('server plain iburst maxsamples 1')).toMatch(right)
  const { host, port } = session.published('plain', '123/udp')
  const { stderr } = await session.fromHost(...askClock(`server ${host} port ${port} iburst maxsamples 1`))
  expect(stderr).toMatch(right)
})

test('reports the stratum of its option', async () => {
  const question = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(50)
s.sendto(bytes([0x23]) + bytes(47), ('secure', 123)); print(s.recv(99)[1])`
  expect((await session.client('python3', '-c', question)).stdout).toBe('3\n')
})

test('answers requests with its key, and no other key', async () => {
  const key = Buffer.from(await session.secret('secure', 'PASSWORD')).toString('hex')
  expect(await clock('server secure iburst maxsamples 1 key 7', `7 SHA256 HEX:${key}`)).toMatch(right)
  expect(await clock('server secure iburst maxsamples 1 key 7', `7 SHA256 HEX:${key}00`)).toMatch(nothing)
})

test("speaks Network Time Security to clients that trust the fleet's authority", async () => {
  const source = `server ${session.report.servers.secure?.hostname} iburst maxsamples 1 nts`
  expect(await clock(source)).toMatch(right)
  expect(await clock(source, undefined, 'nosystemcert')).toMatch(/TLS handshake .* failed|not trusted/)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ntp :123: does not answer')
})
