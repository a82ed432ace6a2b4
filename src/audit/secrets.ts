/** Repetitions are bounded, so that the time is proportional to a file's length. */
const shapes: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['an access key of AWS', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['a token of GitHub', /\bgh[opsur]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{60,255}\b/],
  ['a token of GitLab', /\bglpat-[\w-]{20,255}/],
  ['a token of Slack', /\bxox[abeoprs]-[\w-]{10,255}|hooks\.slack\.com\/services\/T\w{6,20}\/B\w{6,20}\/\w{16,40}/],
  ['a key of Stripe', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}\b/],
  ['a key of Google', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a token of npm', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a key of SendGrid', /\bSG\.[\w-]{22}\.[\w-]{43}\b/],
  ['a key of Azure Storage', /\bAccountKey=[A-Za-z0-9+/]{80,100}={0,2}/],
  ['a JSON Web Token', /\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,2000}/],
]

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/
const URL_WITH_PASSWORD = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/'"$<{]{0,200}:([^\s@/'"]{1,200})@/i

/** Returns the kind of known secret that the text contains. */
export function findSecretShape(text: string): string | undefined {
  // AWS writes EXAMPLE into the keys of its manual.
  return shapes.find(([, pattern]) => {
    const found = pattern.exec(text)?.[0]
    return found !== undefined && !found.includes('EXAMPLE')
  })?.[0]
}

export function hasPrivateKey(text: string): boolean {
  return PRIVATE_KEY.test(text)
}

/** Returns whether the text has a URL with a literal password. A placeholder is none. */
export function hasPasswordInUrl(text: string): boolean {
  return findPasswordInUrl(text) !== undefined
}

export function findPasswordInUrl(text: string): string | undefined {
  const password = URL_WITH_PASSWORD.exec(text)?.[1]
  return password === undefined || /^[$<{]|^[*x.]+$/i.test(password) ? undefined : password
}

/** Returns whether a text is one long word that is as random as a key. */
export function looksRandom(text: string): boolean {
  if (text.length < 24 || text.length > 512 || !/^[A-Za-z0-9+/_=-]+$/.test(text)) return false
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return false
  if (/^[0-9a-f]+$/i.test(text)) return text.length >= 32 && /\d/.test(text) && entropyBits(text) >= 3.3
  return /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text) && entropyBits(text) >= 4.2
}

/** Shannon's entropy, in bits a character. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}

/** Last words of names whose value is a secret. `TOKEN_TTL` and `PASSWORD_FILE` only describe one. */
const SECRET_WORD =
  /(?:^|_)(?:(?:PG|DB|ROOT|ADMIN|USER)?PASSWORD|PASSWD|PASSPHRASE|PASS|REQUIREPASS|(?:MYSQL|DB)_PWD|SECRET|TOKEN|(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION)_?KEY|CREDENTIALS?)\d*(?:_(?:BASE|VALUE|PLAIN|TEXT|B64|BASE64|PROD|DEV|TEST|STAGING|DEFAULT|OLD|NEW|PRIMARY|SECONDARY|\d+))*$/
/** First words of such names that are switches. */
const SWITCH = /^(?:ALLOW|DISABLE|ENABLE|REQUIRE|NO|SKIP|USE|RESET|RANDOM)_|_(?:ALLOW|RANDOM|DISABLE|ENABLE)_/
const PLACEHOLDER =
  /^(?:|true|false|yes|no|on|off|none|null|nil|\d{1,3}|unset|todo|tbd|placeholder|example|dummy|fake|mock|redacted|x+|\*+|\.+|<.*>|\{\{.*\}\}|(?:your|insert|replace|put)[-_ ].*)$/i

/** Returns whether a variable, label or option with this name holds a secret: `DB_PASSWORD`, `apiToken`, `--require-pass`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+/, '')
    .toUpperCase()
  return SECRET_WORD.test(words) && !SWITCH.test(words)
}

/** Returns whether the text is a literal value, not a placeholder or the path of a file. */
export function isLiteral(text: string): boolean {
  const value = text.trim()
  return !PLACEHOLDER.test(value) && !value.startsWith('/') && !/\$[\w({]|^file:/.test(value)
}

/** The name and the value of an option, such as `--password=…` or `--password …`, where the value is a secret in plain text. */
export function findSecretOption(
  argument: string,
  next: string,
): { readonly option: string; readonly value: string } | undefined {
  const [, option, name, joined] = /^(--?([A-Za-z][\w-]*))(?:=(.*))?$/s.exec(argument) ?? []
  if (option === undefined || name === undefined || !isSecretName(name)) return undefined
  const value = joined ?? (next.startsWith('-') ? '' : next)
  return isLiteral(value) ? { option, value } : undefined
}

/** A shell's assignment: what precedes it, the variable, the value. */
const ASSIGNMENT = /(?:^|[\s;&|(])([A-Za-z_]\w{0,100})=("[^"]*"|'[^']*'|[^\s;&|)]+)/g
/** `echo 'alice:…' | chpasswd` */
const FED_PASSWORD = /\b(?:echo|printf)\b([^|\n]{0,500}:[^|\n]{0,500})\|\s*(?:\S+\/)?chpasswd\b/

/** The variables that a shell script sets to a secret in plain text, with their values as they are written. */
export function findSecretAssignments(script: string): { readonly variable: string; readonly value: string }[] {
  return [...script.matchAll(ASSIGNMENT)].flatMap(([, variable = '', value = '']) =>
    isSecretName(variable) && isLiteral(value.replaceAll(/^["']|["']$/g, '')) ? [{ variable, value }] : [],
  )
}

/** What a shell script pipes into chpasswd, where that is plain text. */
export function findFedPassword(script: string): string | undefined {
  const fed = FED_PASSWORD.exec(script)?.[1]
  return fed !== undefined && isLiteral(fed) ? fed : undefined
}
