/**
 * The grammars that outside worlds give to names and values: DNS, Docker, Debian, POSIX.
 * A value that matches goes to the engine as data; nothing here is ever spliced into a command.
 */

/** A fleet, a session or a server: one DNS label in lower case, short enough for `<server>.<domain>`. */
export const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/

/** A session: a fleet's name and room for a suffix. */
export const SESSION = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/

/** Dotted DNS labels, at most 253 characters (RFC 1123). */
export const HOSTNAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/**
 * A host name as the DNS of an engine serves it: with underscores, as Compose's services have them, and without regard to
 * case.
 */
export const ALIAS =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

/** What a certificate can be good for: a host's name, or all names one label below it (RFC 6125). */
export const CERTIFICATE_NAME = new RegExp(HOSTNAME.source.replace('^', '^(?:\\*\\.)?'))

/**
 * A Debian package, with architecture and version as `apt-get install` takes them (Debian Policy 5.6.1, 5.6.12). None
 * ends with `-`, with which apt-get removes what it names, and no version with `+`, which apt-get takes for its own.
 */
export const PACKAGE =
  /^[a-z0-9][a-z0-9+.-]{0,126}[a-z0-9+.](?::[a-z0-9-]{1,31}[a-z0-9])?(?:=[A-Za-z0-9.+~:-]{0,126}[A-Za-z0-9.~:])?$/

/** The name, version and architecture of an installed Debian package (Debian Policy 5.6.1, 5.6.12, deb-version(7)). */
export const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]{1,127}$/
export const PACKAGE_VERSION = /^[A-Za-z0-9.+~:-]{1,256}$/
export const PACKAGE_ARCHITECTURE = /^[a-z0-9-]{1,32}$/

/** The name of an environment variable (POSIX.1-2024, 8.1), lower case allowed as most programs do. */
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/

/**
 * A variable of a process (environ(7)): many programs, such as Elasticsearch, read names that no shell can set. No half of a
 * character that takes two.
 */
export const PROCESS_VARIABLE = /^[^=\0\ud800-\udfff]{1,4096}$/u

/** What ENV of a Dockerfile can set: an instruction is one line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
export const IMAGE_VARIABLE = /^[^=\u0000-\u001f\u007f\ud800-\udfff]{1,4096}$/u

/** A database of a server: the presets' own rule, and short enough for PostgreSQL. */
export const DATABASE = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/

/** A secret: the name of a file under /run/secrets, and often of a variable too. */
export const SECRET = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$/

/** `user` or `user:group`, by name or number (useradd(8), with upper case allowed). */
export const OWNER = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$/

/** A file mode in octal, as text: YAML reads a bare 0644 as a number of another base than people mean. */
export const MODE = /^0?[0-7]{3,4}$/

/** Half of a character that takes two, as `"\ud800"` of YAML makes it, has no bytes: it would arrive as another. */
export function isWholeText(text: string): boolean {
  return text.isWellFormed()
}

/** Text that a C string can hold, as arguments and the environment do. */
export function hasNoNul(text: string): boolean {
  return !text.includes('\0')
}

/** Characters that are one byte each. */
export function isBytes(text: string): boolean {
  return !/[\u0100-\uffff]/.test(text)
}

/** `linux/amd64`, `linux/arm/v7`. */
export const PLATFORM = /^[a-z0-9]{1,16}\/[a-z0-9_]{1,16}(?:\/[a-z0-9]{1,8})?$/

/** A signal by name, as kill(1) lists them. */
export const SIGNAL = /^SIG[A-Z][A-Z0-9]{1,8}(?:[+-]\d{1,2})?$/

/** A capability by name, with or without its prefix (capabilities(7)). */
export const CAPABILITY = /^(?:CAP_)?[A-Z][A-Z_]{2,30}$/

/** A kernel parameter (sysctl(8)). */
export const SYSCTL = /^[a-z0-9][a-z0-9_.-]{0,127}$/

/** A label's key, of which the docker command takes all that is before the first `=`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
export const LABEL = /^[^=\u0000-\u001f\u007f\ud800-\udfff]{1,1024}$/u

export function isPattern(pattern: string): boolean {
  return canBeRead(pattern, '')
}

/** A pattern that counts characters, and not the halves of those that take two. */
export function isUnicodePattern(pattern: string): boolean {
  return canBeRead(pattern, 'u')
}

function canBeRead(pattern: string, flags: string): boolean {
  try {
    new RegExp(pattern, flags)
    return true
  } catch {
    return false
  }
}
