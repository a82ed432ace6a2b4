import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ %wörd {}`
const encrypted = '--client-protection=encrypt'

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'samba' },
      more: {
        preset: 'samba',
        // A user may have the name of one of the system.
        options: { users: { alice: { file: 'alice' }, root: { generate: 24 } }, seed: 'seed', public: true },
      },
      shared: {
        preset: 'samba',
        options: {
          user: 'carol',
          seed: 'seed',
          public: true,
          shares: ['docs', 'media'],
          seeds: 'seeds',
          guests: 'badUser',
          netbios: true,
        },
      },
      strict: {
        preset: 'samba',
        options: { user: 'bob', share: 'box', seed: 'seed', readOnly: true, public: true, encrypt: true },
      },
    },
    {
      'seeds/docs/doc.txt': 'a document\n',
      'seed/seed.txt': 'a seed\n',
      'seed/folder/deep.txt': 'deep\n',
      alice: alicesPassword,
    },
  )
  await keepLogin('plain', 'test', await session.secret('plain', 'PASSWORD'))
  await keepLogin('more', 'test', await session.secret('more', 'PASSWORD'))
  await keepLogin('alice', 'alice', alicesPassword)
  await keepLogin('root', 'root', await session.secret('more', 'user.root'))
  await keepLogin('carol', 'carol', await session.secret('shared', 'PASSWORD'))
  await keepLogin('bob', 'bob', await session.secret('strict', 'PASSWORD'))
  await session.client('sh', '-c', 'echo hello > /tmp/hello.txt; head --bytes=32M /dev/urandom > /tmp/big')
})

afterAll(() => session.end())

/** What smbclient reads a login from, so that no password is a word of a command line. */
async function keepLogin(name: string, user: string, password: string): Promise<void> {
  const text = `username = ${user}\npassword = ${password}\n`
  await session.clientWith(text, 'sh', '-c', `cat > /tmp/${name}.login`)
}

/** What smbclient prints of these commands of its own; without a login, it names no user. */
async function smb(share: string, login: string | undefined, commands: string, ...words: string[]): Promise<string> {
  const who = login === undefined ? ['-U', '%'] : ['-A', `/tmp/${login}.login`]
  const run = ['smbclient', `//${share}`, ...who, ...words, '-c', `lcd /tmp; ${commands}`]
  const { stdout, stderr } = await session.client(...run)
  return stdout + stderr
}

test('stores, lists, returns and deletes files without options', async () => {
  const put = await smb('plain/files', 'plain', 'mkdir a; put hello.txt a\\one.txt; ls a\\*; get a\\one.txt -')
  expect(put).toMatch(/putting file hello\.txt as \\a\\one\.txt/)
  expect(put).toMatch(/^ {2}one\.txt +A +6 /m)
  expect(put).toMatch(/^hello$/m)
  const gone = await smb('plain/files', 'plain', 'rename a\\one.txt two.txt; del two.txt; rmdir a; ls')
  expect(gone).toMatch(/^ {2}\. .*\n {2}\.\. .*\n\n/)
  expect(gone).not.toContain('NT_STATUS')
})

test('has the additional shares of its option, each with its own files', async () => {
  expect(await smb('shared/docs', 'carol', 'get doc.txt -')).toMatch(/^a document$/m)
  expect(await smb('shared/media', 'carol', 'put hello.txt one.txt; get one.txt -')).toMatch(/^hello$/m)
  expect(await smb('shared/docs', 'carol', 'ls')).not.toContain('one.txt')
  expect(await smb('shared/none', 'carol', 'ls')).toContain('NT_STATUS_BAD_NETWORK_NAME')
})

test('treats an unknown user as a guest only with its option', async () => {
  await keepLogin('unknown', 'unknown', 'any')
  expect(await smb('shared/public', 'unknown', 'get seed.txt -')).toMatch(/^a seed$/m)
  expect(await smb('shared/docs', 'unknown', 'ls')).toContain('NT_STATUS_ACCESS_DENIED')
  expect(await smb('strict/public', 'unknown', 'ls')).toContain('NT_STATUS_LOGON_FAILURE')
})

test('accepts NetBIOS sessions only with its option', async () => {
  expect(await smb('shared/docs', 'carol', 'get doc.txt -', '--port', '139')).toMatch(/^a document$/m)
  expect(await smb('plain/files', 'plain', 'ls', '--port', '139')).toContain('NT_STATUS_CONNECTION_REFUSED')
})

test('lists its shares to clients on the network and on the host', async () => {
  expect((await session.client('smbclient', '-A', '/tmp/plain.login', '-L', '//plain')).stdout).toMatch(
    /^\tfiles +Disk/m,
  )
  const { SMB_URL = '', SMB_SERVER = '', SMB_SHARE, SMB_USER, SMB_PASSWORD } = session.variables
  expect(SMB_URL).toBe(`smb://${SMB_USER}:${SMB_PASSWORD}@${SMB_SERVER}/${SMB_SHARE}`)
  const { host, port } = session.published('plain', '445/tcp')
  const login = ['-U', `test%${await session.secret('plain', 'PASSWORD')}`]
  const listed = await session.fromHost('smbclient', '-p', port, ...login, '-L', `//${host}`)
  expect(listed.stdout).toMatch(/^\tfiles +Disk/m)
})

test('accepts the password of each user, and no other', async () => {
  for (const login of ['more', 'alice', 'root'])
    expect(await smb('more/files', login, 'get seed.txt -')).toMatch(/^a seed$/m)
  await keepLogin('wrong', 'test', 'wrong')
  await keepLogin('another', 'alice', await session.secret('more', 'PASSWORD'))
  await keepLogin('unknown', 'nobody', await session.secret('more', 'PASSWORD'))
  await keepLogin('own', '_samba', '')
  await keepLogin('guest', '_guest', '')
  for (const login of ['wrong', 'another', 'unknown', 'own', 'guest']) {
    expect(await smb('more/files', login, 'ls')).toBe('session setup failed: NT_STATUS_LOGON_FAILURE\n')
    expect(await smb('more/public', login, 'ls')).toBe('session setup failed: NT_STATUS_LOGON_FAILURE\n')
  }
})

test('starts with its seed, and every user can change all files', async () => {
  expect(await smb('more/files', 'more', 'get folder\\deep.txt -; put hello.txt folder\\deep.txt')).toMatch(/^deep$/m)
  expect(await smb('more/files', 'alice', 'get folder\\deep.txt -; put hello.txt hers.txt')).toMatch(/^hello$/m)
  expect(await smb('more/files', 'root', 'del hers.txt; del folder\\deep.txt')).not.toContain('NT_STATUS')
  expect(await smb('more/files', 'more', 'ls hers.txt')).toContain('NT_STATUS_NO_SUCH_FILE')
})

test('gives clients without a user read access to the public share', async () => {
  const read = await smb('more/public', undefined, 'get seed.txt -; put hello.txt; del seed.txt')
  expect(read).toMatch(/^a seed$/m)
  expect(read).toContain('NT_STATUS_ACCESS_DENIED opening remote file \\hello.txt')
  expect(read).toContain('NT_STATUS_ACCESS_DENIED deleting remote file \\seed.txt')
  expect(await smb('more/public', 'more', 'put hello.txt')).toContain('NT_STATUS_ACCESS_DENIED')
  expect(await smb('more/files', undefined, 'ls')).toBe('tree connect failed: NT_STATUS_ACCESS_DENIED\n')
  expect(await smb('strict/public', undefined, 'get seed.txt -')).toMatch(/^a seed$/m)
})

test('gives clients without a user nothing, not even a list, without a public share', async () => {
  expect(await smb('plain/files', undefined, 'ls')).toBe('tree connect failed: NT_STATUS_ACCESS_DENIED\n')
  expect(await smb('plain/public', undefined, 'ls')).toBe('tree connect failed: NT_STATUS_BAD_NETWORK_NAME\n')
  expect(await smb('plain/ipc$', undefined, 'ls')).toBe('tree connect failed: NT_STATUS_ACCESS_DENIED\n')
})

test('refuses changes in a read-only share', async () => {
  const commands = 'get seed.txt -; put hello.txt; del seed.txt; mkdir a; rename seed.txt b'
  const said = await smb('strict/box', 'bob', commands, encrypted)
  expect(said).toMatch(/^a seed$/m)
  for (const refusal of ['opening remote file', 'deleting remote file', 'making remote directory', 'renaming files'])
    expect(said).toContain(`NT_STATUS_ACCESS_DENIED ${refusal}`)
})

test('encrypts on request, and with `encrypt` refuses clients that cannot encrypt', async () => {
  expect(await smb('strict/box', 'bob', 'get seed.txt -', encrypted)).toMatch(/^a seed$/m)
  expect(await smb('more/files', 'more', 'get seed.txt -', encrypted)).toMatch(/^a seed$/m)
  const refused = 'tree connect failed: NT_STATUS_ACCESS_DENIED\n'
  expect(await smb('strict/box', 'bob', 'ls', '-m', 'SMB2_10')).toBe(refused)
  expect(await smb('more/files', 'more', 'get seed.txt -', '-m', 'SMB2_10')).toMatch(/^a seed$/m)
})

test('does not speak SMB 1', async () => {
  const old = ['-m', 'NT1', '--option=client min protocol=NT1']
  expect(await smb('plain/files', 'plain', 'ls', ...old)).toContain('No compatible protocol selected by server')
  expect(await smb('plain/files', 'plain', 'ls', '-m', 'SMB2_02')).not.toMatch(/failed|NT_STATUS/)
})

test('gives access to nothing outside a share', async () => {
  const login = `test%${await session.secret('plain', 'PASSWORD')}`
  // Unlike smbclient, it sends the path as it is.
  const get = (path: string) => session.client('smbget', '-O', '-U', login, `smb://plain/files/${path}`)
  await smb('plain/files', 'plain', 'mkdir in; put hello.txt in\\hello.txt')
  expect((await get('in/hello.txt')).stdout).toContain('hello\n')
  for (const path of ['../../etc/passwd', 'in/../../../etc/passwd', '../files/in/hello.txt']) {
    const { stdout, stderr } = await get(path)
    expect(stdout + stderr).toContain('smbc_open: Invalid argument')
    expect(stdout + stderr).not.toMatch(/root:|hello/)
  }
  const link = ['ln', '-s', '/etc', '/srv/files/etc']
  expect(await session.fleet.call(['exec', 'plain', '--', ...link])).toMatchObject({ exitCode: 0 })
  const said = await smb('plain/files', 'plain', 'get etc\\passwd -; put hello.txt etc\\hello.txt; cd etc')
  expect(said).toContain('NT_STATUS_OBJECT_PATH_NOT_FOUND opening remote file \\etc\\passwd')
  expect(said).toContain('NT_STATUS_OBJECT_PATH_NOT_FOUND opening remote file \\etc\\hello.txt')
  expect(said).toContain('cd \\etc\\: NT_STATUS_OBJECT_NAME_NOT_FOUND')
})

test('returns a large file unchanged', async () => {
  expect(await smb('plain/files', 'plain', 'put big; get big back; del big')).toContain('of size 33554432 as back')
  const { stdout } = await session.client('sha256sum', '/tmp/big', '/tmp/back')
  const [sent, back] = stdout.split('\n').map((line) => line.split(' ')[0])
  expect(sent).toMatch(/^[0-9a-f]{64}$/)
  expect(back).toBe(sent)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('smb :445: does not answer')
})
