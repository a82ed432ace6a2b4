// What a step of GitHub Actions can tell its job.
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'

/** Sets an output of the step. */
export function setOutput(name, value) {
  appendTo('GITHUB_OUTPUT', `${name}=${String(value).replaceAll(/[\r\n]/g, ' ')}\n`)
}

/** Appends to the file that a variable of the runner names. Without it, nothing happens. */
export function appendTo(variable, text) {
  const file = process.env[variable]
  if (file) appendFileSync(file, text)
}

/** Hides a text in everything that the job prints from now on. */
export function mask(text) {
  tell(`::add-mask::${escapeData(text)}`)
}

/** Marks a line of a file, or the job. */
export function annotate(kind, message, properties = {}) {
  const list = Object.entries(properties).filter(([, value]) => value !== undefined)
  const words = list.map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  tell(`::${kind}${words.length === 0 ? '' : ` ${words.join(',')}`}::${escapeData(message)}`)
}

/** Prints lines that are folded on the page of the job, and in which no command is obeyed. */
export function group(title, text) {
  const token = randomBytes(16).toString('hex')
  tell(`::group::${escapeData(title)}\n::stop-commands::${token}\n${text.trimEnd()}\n::${token}::\n::endgroup::`)
}

function tell(line) {
  process.stdout.write(`${line}\n`)
}

/** As the runner unescapes it. */
function escapeData(text) {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text) {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
