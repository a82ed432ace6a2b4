import type { ReadyCheck } from '../model/fleet.ts'
import { say } from '../model/surface.ts'
import { findCauseInLog, type KnownServer } from './find-cause-in-log.ts'
import type { Listener } from './find-listeners.ts'
import { hintForPort, isHeard, isOverUdp, RAISE } from './hint-for-port.ts'
import { nameProtocol } from './name-protocol.ts'

/** A failing check, and its last answer. */
export interface Standing {
  readonly check: ReadyCheck
  readonly answer: string
  /** How long that has been the answer. */
  readonly sameForMs: number
}

/** Everything known about a server that was not ready in time. */
export interface Evidence {
  readonly server: string
  readonly standings: readonly Standing[]
  readonly log: readonly string[]
  /** Undefined when it could not be found out. */
  readonly listeners: readonly Listener[] | undefined
  readonly known?: KnownServer | undefined
  /** Whether it is a process of this machine. */
  readonly isProcess?: boolean | undefined
}

/** Chooses the hint about a server that was not ready in time: by its log, then by its last answers. */
export function chooseHint(evidence: Evidence): string {
  const { server, log, known, standings } = evidence
  const cause = findCauseInLog(server, log, known)
  if (cause !== undefined) return cause
  for (const standing of standings) {
    const hint = hintFor(standing, evidence)
    if (hint !== undefined) return hint
  }
  return log.length === 0 ? `It logged nothing; ${RAISE}.` : `Read its log above; ${RAISE}.`
}

/** Words of a server that is still starting. */
const STARTING =
  /^starting$|\bloading\b|starting up|\binitiali[sz]|not yet|warming|still|try again|temporar(?!y failure in name)|unavailable|recover|busy/i

/** For HTTP, only a status that blames the server: other pages and quoted texts can contain such words by chance. */
function saysThatItStarts(check: ReadyCheck, answer: string): boolean {
  const isHttp = (check.kind === 'http' || check.kind === 'https') && answer.startsWith('answers ')
  if (!isHttp) return STARTING.test(answer)
  return /^answers 50[234]/.test(answer) || (/^answers 5/.test(answer) && STARTING.test(answer))
}

function hintFor(standing: Standing, evidence: Evidence): string | undefined {
  const { check, answer } = standing
  if (check.kind === 'log') return hintForLog(standing, evidence)
  if (check.kind === 'exit') return 'It still runs: use another check for a server that stays, or raise `readyTimeout`.'
  if (saysThatItStarts(check, answer)) return `The server says that it is not ready yet: ${RAISE}.`
  if (check.kind === 'exec')
    return `Run it by hand: ${say('exec', evidence.server, check.command.join(' '))} (after ${say('upKept')}).`
  if (check.kind === 'healthcheck') return "The image's health check does not pass: look at its command and the log."
  const isUnheard = /refused|^(?:closes|takes) the connection|connection reset|no route/.test(answer)
  if (isUnheard) return hintForPort(check, answer, evidence.listeners, evidence.isProcess)
  return (
    hintForTls(check, answer) ??
    hintForProtocol(check, answer) ??
    hintForHttp(standing) ??
    hintForSilence(check, answer, evidence)
  )
}

const MUTE = /^(?:says nothing|does not answer|does not take the connection|no answer yet|begins its answer)/

function hintForSilence(check: ReadyCheck & { port: number }, answer: string, evidence: Evidence): string {
  const { listeners, isProcess } = evidence
  if (!MUTE.test(answer)) return `Compare what the server says with what the check \`${check.kind}\` wants.`
  if (listeners !== undefined && !isHeard(check, listeners)) return hintForPort(check, answer, listeners, isProcess)
  const how = isOverUdp(check.kind) ? `listens at ${check.port}/udp` : `takes connections at ${check.port}`
  return `The server ${how} and does not answer: look whether it hangs or wants another protocol; ${RAISE}.`
}

function hintForTls({ kind }: ReadyCheck, answer: string): string | undefined {
  const isHttp = kind === 'https'
  if (/does not speak TLS/.test(answer))
    return `${isHttp ? 'Use `http` in place of `https`' : 'Leave out `tls: true`'}, or turn TLS on in the server.`
  if (/client certificate/.test(answer))
    return 'Give a server of the fleet `tls`, and make this one trust /run/testfleet/tls/ca.pem: the check then presents its client certificate.'
  if (isHttp && /no site of the name/.test(answer))
    return 'Set `requestHeaders: { Host: NAME }` to a name that the server knows: TLS then asks for that one, too.'
  if (/TLS|no site of the name/.test(answer)) return 'Check the TLS settings of the server.'
  return undefined
}

function hintForProtocol({ port, kind }: ReadyCheck & { port: number }, answer: string): string | undefined {
  const known = nameProtocol(readQuote(answer))
  const isOwn = known?.check.includes(`\`${kind}\``) || (kind === 'tcp' && !/^says/.test(answer))
  if (known === undefined || isOwn || kind === 'tcp') return undefined
  return `The server at ${port} speaks ${known.name}: use ${known.check} in place of \`${kind}\`.`
}

/** Returns the first bytes that an answer quotes. */
function readQuote(answer: string): Buffer {
  const quoted = /says ("(?:[^"\\]|\\.)*")/.exec(answer)?.[1]
  try {
    return Buffer.from(quoted === undefined ? '' : String(JSON.parse(quoted)), 'latin1')
  } catch {
    return Buffer.alloc(0)
  }
}

function hintForHttp({ check, answer, sameForMs }: Standing): string | undefined {
  const status = /^answers (\d{3})/.exec(answer)?.[1]
  if (status === undefined || (check.kind !== 'http' && check.kind !== 'https')) return undefined
  const seconds = Math.round(sameForMs / 1000)
  const steady =
    seconds > 0 ? `It has given the same answer for ${seconds} s` : 'It answers, but not as the check wants'
  if (/ in its header | in its body| of its body/.test(answer)) return `${steady}: check \`body\` and \`headers\`.`
  if (/HTTPS|plain HTTP/i.test(answer)) return 'The server speaks TLS at that port: use `https`.'
  return hintForStatus(status, steady, check, answer)
}

function hintForStatus(
  status: string,
  steady: string,
  check: ReadyCheck & { requestHeaders?: object | undefined },
  answer: string,
): string {
  if (status.startsWith('3'))
    return `${steady}, and redirects are not followed: check \`path\`, or add ${status} to \`status\`.`
  const isHostUnknown = status === '421' || (['400', '403', '404'].includes(status) && /host|site|domain/i.test(answer))
  if (isHostUnknown && !check.requestHeaders)
    return `${steady}. It may not know the name that it is asked for: set \`requestHeaders: { Host: NAME }\`.`
  if (status === '400')
    return `${steady}: check \`path\`, or set \`requestHeaders\` (such as \`Host\`) that the server wants.`
  if (status === '401' || status === '407')
    return `${steady}: it wants a login. Add \`status: [200, ${status}]\` if that is ready enough.`
  if (status === '405') return `${steady}: it takes no GET there. Check \`path\`, or add 405 to \`status\`.`
  if (status.startsWith('5')) return `${steady}: look at its log for the reason.`
  return `${steady}: check \`path\` and \`status\`.`
}

function hintForLog({ check, answer }: Standing, { log, listeners }: Evidence): string {
  if (/does not come to an end/.test(answer))
    return 'Write the pattern without a repeat inside a repeat, or name a text.'
  if (/^[1-9]\d* of \d+ times/.test(answer))
    return `The text did not come often enough: look whether \`times\` is right; ${RAISE}.`
  const like = check.kind === 'log' && !check.isPattern ? findAlike(check.text, log) : undefined
  if (like !== undefined)
    return `Its log has the line ${JSON.stringify(like)}: write the text with the same capital letters and spaces.`
  if (log.length > 0)
    return `No line of its log is like that: compare the text with the end of its log above; ${RAISE}.`
  const where = (listeners ?? []).map((one) => (one.protocol === 'unix' ? one.path : one.port))
  const runs = where.length > 0 ? `, while it listens at ${where.slice(0, 3).join(', ')}` : ''
  return `It logged nothing${runs}: a program that does not write to a terminal may buffer its output. ${UNBUFFERED}, or check its port; ${RAISE}.`
}

/** Returns the line that has the text with other capital letters or spaces. */
function findAlike(text: string, log: readonly string[]): string | undefined {
  const simplify = (words: string): string => words.toLowerCase().replaceAll(/\s+/g, ' ')
  return log.find((line) => !line.includes(text) && simplify(line).includes(simplify(text)))?.slice(0, 200)
}

const UNBUFFERED = 'Give it `tty: true`, set PYTHONUNBUFFERED=1 (Python), start it by `stdbuf -oL`'
