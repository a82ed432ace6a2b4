/**
 * Tests the fleet next to this file with a real client, curl:
 *
 *     testfleet run -f examples/web/testfleet.yaml -- node examples/web/prove.ts
 *
 * All that it knows of the servers is in the environment that `testfleet run` gives to its command.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Check, carryOut, type Outcome } from './curl.ts'

function listChecks(upload: { readonly path: string; readonly bytes: Buffer }): Check[] {
  // Where each server is from here: its URL as the fleet file exports it.
  const web = variable('WEB_URL')
  const proxy = ['--proxy', variable('PROXY_URL')]
  const socks = ['--proxy', variable('SOCKS_URL')]
  const imap = variable('IMAP_URL')

  // Where they are for each other: behind a proxy, they go by their names.
  const webName = variable('TESTFLEET_APACHE2_HOSTNAME')
  const imapName = variable('TESTFLEET_DOVECOT_HOSTNAME')
  const ftp = variable('FTP_URL')

  // A certificate is good for a server's name; these names lead to the published ports.
  const trust = ['--cacert', variable('TESTFLEET_CA_FILE')]
  const tls = ['--connect-to', `${webName}:443:${endpoint('APACHE2', 443)}`]
  const imapTls = ['--connect-to', `${imapName}:993:${endpoint('DOVECOT', 993)}`]

  // alice has a password of her own on every server.
  const webUser = `alice:${variable('WEB_PASSWORD')}`
  const proxyUser = `alice:${variable('PROXY_PASSWORD')}`
  const ftpUser = `alice:${variable('FTP_PASSWORD')}`
  const socksUser = `alice:${variable('SOCKS_PASSWORD')}`
  const imapUser = `alice:${variable('IMAP_PASSWORD')}`
  const stranger = 'alice:wrong'

  const unique = randomBytes(8).toString('hex')
  const dav = `https://${webName}/dav/${unique}`
  const cacheable = `http://${webName}/?${unique}`

  return [
    // apache2: pages, a password, TLS, WebDAV
    { does: 'apache2 serves its page', curl: [`${web}/`], replies: ['HTTP/1.1 200'], body: 'The front page' },
    { does: 'apache2 keeps its private page to itself', curl: [`${web}/private/`], replies: ['HTTP/1.1 401'] },
    {
      does: 'apache2 refuses a wrong password',
      curl: [`${web}/private/`],
      user: stranger,
      replies: ['HTTP/1.1 401'],
    },
    {
      does: 'apache2 shows it to alice',
      curl: [`${web}/private/`],
      user: webUser,
      replies: ['HTTP/1.1 200'],
      body: 'For alice only',
    },
    {
      does: 'apache2 serves its page over TLS',
      curl: [...tls, ...trust, `https://${webName}/`],
      replies: ['HTTP/1.1 200'],
      body: 'The front page',
    },
    {
      does: "curl does not trust it without the fleet's authority",
      curl: [...tls, `https://${webName}/`],
      exitCode: 60,
    },
    {
      does: 'WebDAV refuses an upload without a password',
      curl: [...tls, ...trust, '--upload-file', upload.path, dav],
      replies: ['HTTP/1.1 401'],
    },
    {
      does: 'WebDAV takes an upload',
      curl: [...tls, ...trust, '--upload-file', upload.path, dav],
      user: webUser,
      replies: ['HTTP/1.1 201'],
    },
    {
      does: 'WebDAV gives it back',
      curl: [...tls, ...trust, dav],
      user: webUser,
      replies: ['HTTP/1.1 200'],
      body: upload.bytes,
    },
    {
      does: 'WebDAV deletes it',
      curl: [...tls, ...trust, '--request', 'DELETE', dav],
      user: webUser,
      replies: ['HTTP/1.1 204'],
    },
    { does: 'and then it is gone', curl: [...tls, ...trust, dav], user: webUser, replies: ['HTTP/1.1 404'] },

    // squid: a password, a tunnel, a cache, and no way out of the fleet
    {
      does: 'squid refuses a client without a password',
      curl: [...proxy, `http://${webName}/`],
      replies: ['HTTP/1.1 407'],
    },
    {
      does: 'squid refuses a wrong password',
      curl: [...proxy, `http://${webName}/`],
      proxyUser: stranger,
      replies: ['HTTP/1.1 407'],
    },
    {
      does: 'squid fetches the page by its name',
      curl: [...proxy, cacheable],
      proxyUser,
      replies: ['HTTP/1.1 200', 'X-Cache: MISS'],
      body: 'The front page',
    },
    {
      does: 'squid has it the second time',
      curl: [...proxy, cacheable],
      proxyUser,
      replies: ['HTTP/1.1 200', 'X-Cache: HIT'],
      body: 'The front page',
    },
    {
      does: 'squid passes TLS through a tunnel',
      curl: [...proxy, ...trust, `https://${webName}/`],
      proxyUser,
      replies: ['HTTP/1.1 200 Connection established', 'HTTP/1.1 200 OK'],
      body: 'The front page',
    },
    {
      does: 'squid opens no tunnel without a password',
      curl: [...proxy, ...trust, `https://${webName}/`],
      exitCode: 56,
      replies: ['HTTP/1.1 407'],
    },
    {
      does: 'squid goes nowhere but to the fleet',
      curl: [...proxy, 'http://elsewhere.invalid/'],
      proxyUser,
      replies: ['HTTP/1.1 403'],
    },

    // vsftpd on its published port: what needs no data connection
    {
      does: "vsftpd tells a file's size to anyone",
      curl: ['--head', `ftp://${endpoint('VSFTPD', 21)}/pub/notice.txt`],
      replies: ['220 vsftpd', '213 23'],
    },
    {
      does: 'vsftpd refuses a wrong password',
      curl: [`ftp://${endpoint('VSFTPD', 21)}/`],
      user: stranger,
      exitCode: 67,
      replies: ['530 '],
    },

    // danted, and through it everything by name: data connections of FTP too
    { does: 'danted refuses a client without a password', curl: [...socks, `http://${webName}/`], exitCode: 97 },
    {
      does: 'danted refuses a wrong password',
      curl: [...socks, `http://${webName}/`],
      proxyUser: stranger,
      exitCode: 97,
    },
    {
      does: 'danted reaches apache2 by its name',
      curl: [...socks, ...trust, `https://${webName}/`],
      proxyUser: socksUser,
      replies: ['HTTP/1.1 200'],
      body: 'The front page',
    },
    {
      does: 'danted reaches vsftpd, which lists /pub for anyone',
      curl: [...socks, '--list-only', `${ftp}/pub/`],
      proxyUser: socksUser,
      replies: ['230 ', '226 '],
      body: 'notice.txt',
    },
    {
      does: 'vsftpd refuses an upload from just anyone',
      curl: [...socks, '--upload-file', upload.path, `${ftp}/pub/${unique}`],
      proxyUser: socksUser,
      exitCode: 25,
      replies: ['550 '],
    },
    {
      does: 'vsftpd takes an upload from alice',
      curl: [...socks, '--upload-file', upload.path, `${ftp}/${unique}`],
      proxyUser: socksUser,
      user: ftpUser,
      replies: ['226 '],
    },
    {
      does: 'vsftpd gives it back',
      curl: [...socks, `${ftp}/${unique}`],
      proxyUser: socksUser,
      user: ftpUser,
      replies: ['229 ', '226 '],
      body: upload.bytes,
    },
    {
      does: 'vsftpd gives it back to who goes by address',
      curl: [...socks, '--disable-epsv', '--no-ftp-skip-pasv-ip', `${ftp}/${unique}`],
      proxyUser: socksUser,
      user: ftpUser,
      replies: ['227 ', '226 '],
      body: upload.bytes,
    },

    // dovecot: a mailbox with one message
    { does: 'dovecot refuses a wrong password', curl: [imap], user: stranger, exitCode: 67 },
    {
      does: 'dovecot has one message for alice',
      curl: ['--request', 'EXAMINE INBOX', imap],
      user: imapUser,
      replies: ['* 1 EXISTS'],
    },
    {
      does: 'dovecot hands it out',
      curl: [`${imap}/INBOX;MAILINDEX=1`],
      user: imapUser,
      body: 'Subject: Welcome to web.test',
    },
    {
      does: 'dovecot hands it out over TLS',
      curl: [...imapTls, ...trust, `imaps://${imapName}/INBOX;MAILINDEX=1`],
      user: imapUser,
      body: 'Your mailbox works.',
    },
    {
      does: 'curl does not trust that one either without it',
      curl: [...imapTls, `imaps://${imapName}/INBOX;MAILINDEX=1`],
      user: imapUser,
      exitCode: 60,
    },
  ]
}

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: call this by way of \`testfleet run\``)
  return value
}

function endpoint(server: string, port: number): string {
  return `${variable(`TESTFLEET_${server}_HOST`)}:${variable(`TESTFLEET_${server}_PORT_${port}`)}`
}

function report(check: Check, outcome: Outcome): void {
  if (outcome.failures.length === 0) {
    console.log(`✓ ${check.does.padEnd(56)} ${outcome.facts.join(' · ')}`)
    return
  }
  console.log(`✗ ${check.does}`)
  for (const { expected, came } of outcome.failures) {
    console.log(`    expected ${expected}`)
    console.log(`    came     ${came.trim().replaceAll('\n', '\n             ')}`)
  }
  console.log(`    of       ${JSON.stringify(outcome.command)}`)
}

/** Carries the checks out in their order; some build on those before. Says whether all held. */
async function prove(folder: string): Promise<boolean> {
  const upload = { path: join(folder, 'upload'), bytes: randomBytes(256 * 1024) }
  await writeFile(upload.path, upload.bytes)
  let passed = 0
  let failed = 0
  for (const check of listChecks(upload)) {
    const outcome = await carryOut(check, folder)
    report(check, outcome)
    if (outcome.failures.length === 0) passed++
    else failed++
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0
}

const folder = await mkdtemp(join(tmpdir(), 'prove-'))
try {
  process.exitCode = (await prove(folder)) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}
