import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password: \\ of alice`
const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

beforeAll(async () => {
  const keys = { file: 'alice.pub' }
  session = await startCatalogue(
    {
      full: {
        preset: 'openssh',
        options: {
          users: { alice: { file: 'alice.txt' } },
          authorizedKeys: { alice: keys, carol: keys },
          seed: 'home',
        },
      },
      locked: {
        preset: 'openssh',
        options: { passwords: false, sftpOnly: true, authorizedKeys: { test: keys }, seed: 'home' },
      },
      plain: { preset: 'openssh' },
    },
    { 'alice.txt': alicesPassword, 'alice.pub': wordPublicKey(), 'home/letters/first.txt': 'hello\n' },
  )
  const pem = pair.privateKey.export({ format: 'pem', type: 'sec1' }).toString()
  await session.clientWith(pem, 'sh', '-c', 'umask 077; cat > /root/alice')
})

afterAll(() => session.end())

/** As authorized_keys has it: texts with their lengths in front (RFC 5656, 3.1). */
function wordPublicKey(): string {
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const parts = [Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), point].map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    return Buffer.concat([length, part])
  })
  return `ecdsa-sha2-nistp256 ${Buffer.concat(parts).toString('base64')} alice@home\n`
}

const anyHost = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
const toOptions = (options: readonly string[]): string[] => options.flatMap((option) => ['-o', option])

function withPassword(password: string, ...words: string[]): Promise<CommandResult> {
  const [program = '', ...rest] = words
  const options = toOptions([...anyHost, 'PubkeyAuthentication=no', 'NumberOfPasswordPrompts=1'])
  return session.client('sshpass', '-p', password, program, ...options, ...rest)
}

const withKey = (...words: string[]): Promise<CommandResult> => {
  const [program = '', ...rest] = words
  return session.client(program, ...toOptions([...anyHost, 'BatchMode=yes']), '-i', '/root/alice', ...rest)
}

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect((await withPassword(password, 'ssh', 'test@plain', 'id -un; pwd')).stdout).toBe('test\n/home/test\n')
  const { SSH_HOST = '', SSH_PORT = '', SSH_USER, SSH_PASSWORD } = session.variables
  expect([SSH_USER, SSH_PASSWORD]).toEqual(['test', password])
  const key = await keyOf('plain')
  expect((await session.host('ssh-keyscan', '-t', 'ed25519', '-p', SSH_PORT, SSH_HOST)).stdout).toContain(key)
})

/** The server's own public key. */
async function keyOf(server: string): Promise<string> {
  const file = '/etc/ssh/ssh_host_ed25519_key.pub'
  const { stdout } = await session.fleet.done(['exec', server, '--', 'cat', file])
  return stdout.split(' ').slice(0, 2).join(' ')
}

test('has its own host keys, which are not in the image', async () => {
  const [plain, full] = await Promise.all([keyOf('plain'), keyOf('full')])
  expect(plain).not.toBe(full)
  const digest = (server: string) => session.report.servers[server]?.image.split(':').at(-1)
  expect(digest('plain')).toBe(digest('full'))
  const strict = ['StrictHostKeyChecking=yes', 'UserKnownHostsFile=/root/known', 'BatchMode=yes']
  const ask = (): Promise<CommandResult> =>
    session.client('ssh', ...toOptions(strict), '-i', '/root/alice', 'alice@full', 'id -un')
  await session.clientWith(`full ${full}\n`, 'sh', '-c', 'cat > /root/known')
  expect((await ask()).stdout).toBe('alice\n')
  await session.clientWith(`full ${plain}\n`, 'sh', '-c', 'cat > /root/known')
  expect((await ask()).stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
})

test('accepts the password of each user, and no other', async () => {
  expect((await withPassword(alicesPassword, 'ssh', 'alice@full', 'id -un')).stdout).toBe('alice\n')
  for (const who of ['alice', 'carol', 'root', 'dave'])
    expect((await withPassword('wrong', 'ssh', `${who}@full`, 'id -un')).stderr).toContain('Permission denied')
})

test('accepts the keys of each user, and no other', async () => {
  expect((await withKey('ssh', 'carol@full', 'id -un')).stdout).toBe('carol\n')
  expect((await withKey('ssh', 'test@full', 'id -un')).stderr).toContain('Permission denied')
})

test('serves files, with its seed in each home directory', async () => {
  const lines = 'get letters/first.txt /tmp/first\nput /etc/debian_version version\nls -1\n'
  await session.clientWith(lines, 'sh', '-c', 'cat > /root/batch')
  const { stdout } = await withKey('sftp', '-b', '/root/batch', 'alice@full')
  expect(stdout).toMatch(/^letters *\nversion *$/m)
  expect((await session.client('cat', '/tmp/first')).stdout).toBe('hello\n')
})

test('allows only SFTP with keys if its options say so', async () => {
  const password = await session.secret('locked', 'PASSWORD')
  expect((await withPassword(password, 'ssh', 'test@locked', 'id')).stderr).toContain('Permission denied (publickey)')
  expect((await withKey('ssh', 'test@locked', 'id')).stdout).toContain('This service allows sftp connections only.')
  await session.clientWith('ls letters\n', 'sh', '-c', 'cat > /root/batch')
  expect((await withKey('sftp', '-b', '/root/batch', 'test@locked')).stdout).toContain('letters/first.txt')
})

test('gives a terminal to a client that asks for one', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect((await withPassword(password, 'ssh', '-tt', 'test@plain', 'tty')).stdout).toMatch(/^\/dev\/pts\/\d+\r?\n/)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ssh :22: does not answer')
})
