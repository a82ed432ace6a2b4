import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

/** More than one block of any size. */
const large = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251))

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: { preset: 'tftpd', options: { seed: 'boot', writable: true, blockSize: 600 } },
      plain: { preset: 'tftpd', options: { seed: 'boot' } },
      bare: { preset: 'tftpd' },
    },
    { 'boot/menu/default': 'boot from disk\n', 'boot/kernel': large },
    ['tftp-hpa'],
  )
})

afterAll(() => session.end())

/** What the client says, and then what it has got. */
function get(server: string, file: string): Promise<CommandResult> {
  return session.client('tftp', '-m', 'binary', '-v', server, '-c', 'get', file, '/tmp/got')
}

test('works with no option at all', async () => {
  await get('bare', '.ready')
  expect((await session.client('cat', '/tmp/got')).stdout).toBe('ready\n')
})

test('sends its seed, in as many blocks as it takes', async () => {
  await get('plain', 'menu/default')
  expect((await session.client('cat', '/tmp/got')).stdout).toBe('boot from disk\n')
  await get('plain', 'kernel')
  const sum = createHash('sha256').update(large).digest('hex')
  expect((await session.client('sha256sum', '/tmp/got')).stdout).toBe(`${sum}  /tmp/got\n`)
})

test('sends to this machine, too, from its own address', async () => {
  const { ip } = session.report.servers.plain ?? {}
  const { stdout } = await session.host('curl', '-sS', '--tftp-blksize', '1024', `tftp://${ip}/menu/default`)
  expect(stdout).toBe('boot from disk\n')
  expect(session.variables.TFTP_PORT).toMatch(/^\d+$/)
})

test('has no file that it was not given', async () => {
  expect((await get('plain', '../../etc/passwd')).stdout).toMatch(/File not found|Access violation|Only absolute/)
  expect((await get('plain', 'other')).stdout).toContain('File not found')
})

test('takes files where that is asked for, and replaces none of its seed', async () => {
  const put = (server: string, file: string) =>
    session.client('tftp', '-m', 'binary', '-v', server, '-c', 'put', '/etc/debian_version', file)
  expect((await put('plain', 'new')).stdout).toMatch(/File not found|Access violation/)
  expect((await put('full', 'new')).stdout).toContain('Sent ')
  await get('full', 'new')
  expect((await session.client('cmp', '/tmp/got', '/etc/debian_version')).exitCode).toBe(0)
  expect((await put('full', 'kernel')).stdout).toMatch(/Access violation|Permission denied/)
})

test('agrees to no larger blocks than it was asked to', async () => {
  const { ip } = session.report.servers.full ?? {}
  const { stderr } = await session.host(
    'curl',
    '-v',
    '-o',
    '/dev/null',
    '--tftp-blksize',
    '8000',
    `tftp://${ip}/kernel`,
  )
  expect(stderr).toContain('blksize parsed from OACK (600)')
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('bare')).toMatch(/^tftp :69.*: does not answer/)
})
