#!/usr/bin/env node
import { VERSION } from '../version.ts'

/** Reads the call, runs the command, and ends with its exit code. Nothing is loaded that the call does not need. */
async function main(words: readonly string[]): Promise<number> {
  const [first = 'help', ...rest] = words
  if ((first === 'version' && rest.length === 0) || first === '--version') {
    process.stdout.write(`testfleet ${VERSION}\n`)
    return 0
  }
  if (first === 'help' || first === '--help' || first === '-h') {
    const { formatHelp } = await import('./help.ts')
    process.stdout.write(formatHelp(rest[0]))
    return 0
  }
  const { runCall } = await import('./run-call.ts')
  return runCall(first, rest)
}

// Whoever reads what is said may leave before the end, as `head` does, or be a terminal that is closed (EIO).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

process.exitCode = await main(process.argv.slice(2))
