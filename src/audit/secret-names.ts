/** The words that a name ends with when its value is a secret: `TOKEN_TTL` and `PASSWORD_FILE` only say something about one. */
const SECRET_WORD =
  /(?:^|_)(?:(?:PG|DB|ROOT|ADMIN|USER)?PASSWORD|PASSWD|PASSPHRASE|PASS|REQUIREPASS|(?:MYSQL|DB)_PWD|SECRET|TOKEN|(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION)_?KEY|CREDENTIALS?)\d*(?:_(?:BASE|VALUE|PLAIN|TEXT|B64|BASE64|PROD|DEV|TEST|STAGING|DEFAULT|OLD|NEW|PRIMARY|SECONDARY|\d+))*$/
/** What such a name begins with when it is a switch. */
const SWITCH = /^(?:ALLOW|DISABLE|ENABLE|REQUIRE|NO|SKIP|USE|RESET|RANDOM)_|_(?:ALLOW|RANDOM|DISABLE|ENABLE)_/
const PLACEHOLDER =
  /^(?:|true|false|yes|no|on|off|none|null|nil|\d{1,3}|unset|todo|tbd|placeholder|example|dummy|fake|mock|redacted|x+|\*+|\.+|<.*>|\{\{.*\}\}|(?:your|insert|replace|put)[-_ ].*)$/i

/** Whether a variable, a label, or an option of this name holds a secret: `DB_PASSWORD`, `apiToken`, `--require-pass`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+/, '')
    .toUpperCase()
  return SECRET_WORD.test(words) && !SWITCH.test(words)
}

/** Whether the text is itself the value: no placeholder, no path of a file, nothing that is filled in later. */
export function isLiteral(text: string): boolean {
  const value = text.trim()
  return !PLACEHOLDER.test(value) && !value.startsWith('/') && !/\$[\w({]|^file:/.test(value)
}
