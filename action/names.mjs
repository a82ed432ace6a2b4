// The names of the servers in /etc/hosts of the runner.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const hostsFile = process.env.TESTFLEET_HOSTS_FILE || '/etc/hosts'

/** Ends the lines of a session in the file of the names of this machine. */
function markOf(session) {
  return ` # testfleet ${session}`
}

/** A line that an ended job has left comes first in the file, so it is removed. */
export function addNames(session, hosts) {
  const lines = hosts.split('\n').filter((line) => /^[^#]/.test(line))
  const names = new Set(lines.flatMap((line) => line.split(/\s+/).slice(1)))
  removeNames((line) => line.split(/\s+/).some((word) => names.has(word)))
  writeHosts(['-a'], lines.map((line) => `${line}${markOf(session)}\n`).join(''))
}

/** Removes the lines of a session. */
export function removeNamesOf(session) {
  if (existsSync(hostsFile)) removeNames((line) => line.endsWith(markOf(session)))
}

/** Removes lines that this action has added. */
function removeNames(isRemoved) {
  const lines = readFileSync(hostsFile, 'utf8').split('\n')
  const kept = lines.filter((line) => !(/ # testfleet [\w.-]+$/.test(line) && isRemoved(line)))
  if (kept.length < lines.length) writeHosts([], kept.join('\n'))
}

/** Writes in place: in a container, the file is a mount, which cannot be replaced. */
function writeHosts(options, input) {
  const words = [...(process.getuid?.() === 0 ? [] : ['sudo']), 'tee', ...options, hostsFile]
  execFileSync(words[0], words.slice(1), { input, stdio: ['pipe', 'ignore', 'inherit'] })
}
