import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One call of curl, and what must come of it. */
export interface Check {
  readonly does: string
  /** Arguments; no password is among them. */
  readonly curl: readonly string[]
  /** `name:password` at the server. */
  readonly user?: string
  /** `name:password` at the proxy in front of it. */
  readonly proxyUser?: string
  /** How curl ends. Default: 0. */
  readonly exitCode?: number
  /** Each must be at the start of a line of the reply: an HTTP header, an FTP or IMAP reply. */
  readonly replies?: readonly string[]
  /** Text that must be in the body, or all bytes of it. */
  readonly body?: string | Buffer
}

/** The outcome of one call of curl, in one line. */
export interface Outcome {
  readonly facts: readonly string[]
  readonly failures: readonly Failure[]
  /** The command line, without what went to curl's standard input. */
  readonly command: readonly string[]
}

export interface Failure {
  readonly expected: string
  readonly came: string
}

interface Answer {
  readonly exitCode: number | null
  readonly body: Buffer
  readonly replies: readonly string[]
  readonly error: string
}

/** Calls curl once and holds what came against what the check says. `folder` is for its files. */
export async function carryOut(check: Check, folder: string): Promise<Outcome> {
  const replyFile = join(folder, 'replies')
  const command = ['--disable', '--config', '-', '--silent', '--show-error', '--max-time', '20']
  command.push('--dump-header', replyFile, ...check.curl)
  // Not every curl makes the file when there is nothing to write.
  await writeFile(replyFile, '')
  const answer = await callCurl(command, formatCredentials(check), replyFile)
  return { ...judge(check, answer), command: ['curl', ...command] }
}

/** Passwords go to curl as a configuration on its standard input: other users of this machine can read arguments. */
function formatCredentials(check: Check): string {
  const lines = Object.entries({ user: check.user, 'proxy-user': check.proxyUser })
  return lines.map(([key, value]) => (value === undefined ? '' : `${key} = ${JSON.stringify(value)}\n`)).join('')
}

async function callCurl(command: readonly string[], input: string, replyFile: string): Promise<Answer> {
  // Neither a proxy nor a configuration of this machine has a say.
  const environment = { PATH: process.env.PATH, LC_ALL: 'C', HOME: tmpdir() }
  const child = spawn('curl', command, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`this needs curl, which does not start: ${error.message}`)))
    child.on('close', resolve)
  })
  // A curl that has ended does not read what is left of its input.
  child.stdin.on('error', () => {}).end(input)
  const [exitCode, body, error] = await Promise.all([ended, readAll(child.stdout), readAll(child.stderr)])
  const replies = await readFile(replyFile, 'utf8')
  return { exitCode, body, error: error.toString().trim(), replies: replies.split(/\r?\n/).filter(Boolean) }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function judge(check: Check, answer: Answer): { facts: string[]; failures: Failure[] } {
  const facts: string[] = []
  const failures: Failure[] = []
  const hold = (holds: boolean, fact: string, failure: Failure): void => {
    if (holds) facts.push(fact)
    else failures.push(failure)
  }

  for (const start of check.replies ?? []) {
    const line = answer.replies.find((reply) => reply.startsWith(start))
    const came = answer.replies.length === 0 ? 'no reply' : answer.replies.join('\n')
    hold(line !== undefined, line ?? '', { expected: `a reply that starts with "${start}"`, came })
  }
  if (typeof check.body === 'string') {
    const expected = `a body with "${check.body}"`
    hold(answer.body.includes(check.body), `"${check.body}"`, { expected, came: answer.body.toString() || 'no body' })
  } else if (check.body !== undefined) {
    const expected = `the same ${check.body.length} bytes`
    hold(answer.body.equals(check.body), expected, { expected, came: `${answer.body.length} bytes that differ` })
  }
  const exitCode = check.exitCode ?? 0
  const came = `${answer.exitCode}: ${answer.error || 'no error'}`
  if (answer.exitCode !== exitCode) failures.push({ expected: `exit code ${exitCode} of curl`, came })
  else if (exitCode !== 0) facts.push(answer.error.split('\n')[0] ?? '')
  return { facts, failures }
}
