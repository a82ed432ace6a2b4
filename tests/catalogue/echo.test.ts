import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'echo' },
    more: { preset: 'echo', options: { chargen: true } },
  })
})

afterAll(() => session.end())

const ask = async (input: string, ...words: string[]) =>
  (await session.clientWith(input, 'nc', '-w', '2', ...words)).stdout

test('returns the data that it receives, over TCP and over UDP', async () => {
  expect(await ask('hello\n', '-N', 'plain', '7')).toBe('hello\n')
  expect(await ask('hello\n', '-u', 'plain', '7')).toBe('hello\n')
})

test('can be reached from the host', async () => {
  const { host, port } = session.published('plain', '7/tcp')
  const reply = await session.host('bash', '-c', `exec 3<>/dev/tcp/${host}/${port}; echo hello >&3; head -n 1 <&3`)
  expect(reply.stdout).toBe('hello\n')
})

test('reports the day and the time', async () => {
  expect(await ask('', 'plain', '13')).toMatch(/^\d{2} [A-Z]{3} \d{4} \d{2}:\d{2}:\d{2} /)
  expect(await ask('\n', '-u', 'plain', '13')).toMatch(/^\d{2} [A-Z]{3} \d{4} \d{2}:\d{2}:\d{2} /)
  const { stdout } = await session.client('sh', '-c', 'nc -w 2 plain 37 </dev/null | od -An -tu4 --endian=big')
  // Seconds since 1900 (RFC 868).
  expect(Math.abs(Number(stdout) - 2_208_988_800 - Date.now() / 1000)).toBeLessThan(60)
})

test('discards the data that it receives', async () => {
  const sent = await session.clientWith('hello\n', 'nc', '-N', '-w', '2', 'plain', '9')
  expect(sent).toMatchObject({ exitCode: 0, stdout: '' })
})

test('sends endless data only with its option', async () => {
  const { stdout } = await session.client('sh', '-c', 'nc -w 2 more 19 </dev/null | head -c 500')
  expect(stdout).toMatch(/^!"#\$%&'\(\)\*\+,-\.\/0123456789/)
  expect(stdout).toHaveLength(500)
  expect((await session.client('nc', '-z', '-v', 'plain', '19')).stderr).toContain('Connection refused')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^tcp :(7|13): /)
})
