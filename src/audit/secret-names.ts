/** Words of a name that say that its value is a secret. */
const SECRET_WORD =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PASS|REQUIREPASS|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY|CREDENTIALS?)\d*(?=_|$)/
/** Names of something about a secret: where it is, how long it holds. */
const ABOUT =
  /_(?:FILE|PATH|DIR|URL|URI|HOST|NAME|USER|TYPE|HEADER|ENABLED|REQUIRED|LENGTH|SIZE|TTL|TIMEOUT|EXPIRY|EXPIRES|EXPIRATION|ROTATION|POLICY|ALGORITHM|ISSUER|AUDIENCE|MIN|MAX|ID)$|^(?:ALLOW|DISABLE|ENABLE|REQUIRE|NO|SKIP|USE|RESET|RANDOM)_|_(?:ALLOW|RANDOM|DISABLE|ENABLE)_/
const PLACEHOLDER =
  /^(?:|true|false|yes|no|on|off|none|null|nil|unset|todo|tbd|placeholder|example|dummy|redacted|x+|\*+|\.+|<.*>|\{\{.*\}\}|(?:your|insert|replace|put)[-_ ].*)$/i

/** Whether a variable, a label, or an option of this name holds a secret: `DB_PASSWORD`, `apiToken`, `--require-pass`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+/, '')
    .toUpperCase()
  return SECRET_WORD.test(words) && !ABOUT.test(words)
}

/** Whether the text is itself the value: no placeholder, no path of a file, nothing that is filled in later. */
export function isLiteral(text: string): boolean {
  const value = text.trim()
  return !PLACEHOLDER.test(value) && !value.startsWith('/') && !/\$[\w({]|^file:/.test(value)
}
