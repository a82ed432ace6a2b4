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

test('works without options', async () => {
  await get('bare', '.ready')
  expect((await session.client('cat', '/tmp/got')).stdout).toBe('ready\n')
})

test('sends files of its seed of any length', async () => {
  await get('plain', 'menu/default')
  expect((await session.client('cat', '/tmp/got')).stdout).toBe('boot from disk\n')
  await get('plain', 'kernel')
  const sum = createHash('sha256').update(large).digest('hex')
  expect((await session.client('sha256sum', '/tmp/got')).stdout).toBe(`${sum}  /tmp/got\n`)
})

test('sends files to this machine from its own address', async () => {
  const { ip } = session.report.servers.plain ?? {}
  const { stdout } = await session.host('curl', '-sS', '--tftp-blksize', '1024', `tftp://${ip}/menu/default`)
  expect(stdout).toBe('boot from disk\n')
  expect(session.variables.TFTP_PORT).toMatch(/^\d+$/)
})

test('has no files but its seed', async () => {
  expect((await get('plain', '../../etc/passwd')).stdout).toMatch(/File not found|Access violation|Only absolute/)
  expect((await get('plain', 'other')).stdout).toContain('File not found')
})

test('accepts files only with its option, and never replaces files of its seed', async () => {
  const put = (server: string, file: string) =>
    session.client('tftp', '-m', 'binary', '-v', server, '-c', 'put', '/etc/debian_version', file)
  expect((await put('plain', 'new')).stdout).toMatch(/File not found|Access violation/)
  expect((await put('full', 'new')).stdout).toContain('Sent ')
  await get('full', 'new')
  expect((await session.client('cmp', '/tmp/got', '/etc/debian_version')).exitCode).toBe(0)
  expect((await put('full', 'kernel')).stdout).toMatch(/Access violation|Permission denied/)
})

test('accepts blocks up to the size of its option', async () => {
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

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('bare')).toMatch(/^tftp :69.*: does not answer/)
})
