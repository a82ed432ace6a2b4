import { spawn } from 'node:child_process'

/** Where a client goes, and by which name it knows the server. */
export interface TlsTarget {
  readonly host: string
  readonly port: string
  readonly name: string
}

/** What one client made of a server: `accepted`, or its own words about why not. */
export type Verdict = string

interface Call {
  readonly program: string
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

const DEADLINE_MS = 20_000

const nodeProgram = `
const { readFileSync } = require('node:fs')
const read = (name) => (process.env[name] ? readFileSync(process.env[name]) : undefined)
const [host, port, servername] = process.argv.slice(1)
const crl = process.env.CHECK_CRL ? read('TESTFLEET_CRL_FILE') : undefined
const own = { cert: read('TESTFLEET_CLIENT_CERT_FILE'), key: read('TESTFLEET_CLIENT_KEY_FILE') }
const request = require('node:https').get({ host, port, servername, crl, ...own, agent: false, headers: { host: servername } })
request.on('response', (answer) => answer.resume().on('end', () => console.log('accepted')).on('error', fail))
request.on('error', fail)
function fail(error) { console.log(error.code ?? '', error.message); process.exitCode = 1 }
`

const pythonProgram = `
import os, socket, ssl, sys
host, port, name = sys.argv[1:]
context = ssl.create_default_context()
if os.environ.get('CHECK_CRL'):
    context.load_verify_locations(os.environ['TESTFLEET_CRL_FILE'])
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
if os.environ.get('TESTFLEET_CLIENT_CERT_FILE'):
    context.load_cert_chain(os.environ['TESTFLEET_CLIENT_CERT_FILE'], os.environ['TESTFLEET_CLIENT_KEY_FILE'])
try:
    with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain, server_hostname=name) as s:
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
        sys.exit(None if s.recv(100) else 'closed')
except OSError as error:
    print(error)
    sys.exit(1)
`

/** Each client with what it finds in its environment, as a program under \`testfleet run\` would. */
export const tlsClients = {
  curl({ host, port, name }, env) {
    const { TESTFLEET_CLIENT_CERT_FILE: cert, TESTFLEET_CLIENT_KEY_FILE: key, TESTFLEET_CRL_FILE: crl = '' } = env
    const own = cert === undefined ? [] : ['--cert', cert, '--key', key ?? '']
    const revoked = env.CHECK_CRL === undefined ? [] : ['--crlfile', crl]
    const where = ['--connect-to', `::${host}:${port}`, `https://${name}/`]
    return {
      program: 'curl',
      words: ['-sS', '--max-time', '15', '--output', '/dev/null', ...own, ...revoked, ...where],
      env,
    }
  },
  openssl({ host, port, name }, env) {
    const { TESTFLEET_CLIENT_CERT_FILE: cert, TESTFLEET_CLIENT_KEY_FILE: key, TESTFLEET_CRL_FILE: crl = '' } = env
    const own = cert === undefined ? [] : ['-cert', cert, '-key', key ?? '']
    const revoked = env.CHECK_CRL === undefined ? [] : ['-CRL', crl, '-crl_check']
    const named = ['-servername', name, '-verify_hostname', name, '-verify_return_error', '-ign_eof']
    return { program: 'openssl', words: ['s_client', '-connect', `${host}:${port}`, ...named, ...own, ...revoked], env }
  },
  node: ({ host, port, name }, env) => ({
    program: process.execPath,
    words: ['-e', nodeProgram, host, port, name],
    env,
  }),
  python: ({ host, port, name }, env) => ({ program: 'python3', words: ['-c', pythonProgram, host, port, name], env }),
} satisfies Record<string, (target: TlsTarget, env: Call['env']) => Call>

export type TlsClient = keyof typeof tlsClients

/** Asks a server for a page; the client has these variables and no others that say whom it trusts. */
export async function askOverTls(
  client: TlsClient,
  target: TlsTarget,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Verdict> {
  const { program, words } = tlsClients[client](target, env)
  const { PATH, HOME } = process.env
  const child = spawn(program, words, { env: { PATH, HOME, ...env }, timeout: DEADLINE_MS, killSignal: 'SIGKILL' })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  child.stdin.on('error', () => {}).end('GET / HTTP/1.0\r\n\r\n')
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return exitCode === 0 ? 'accepted' : output
}
