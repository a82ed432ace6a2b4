#!/usr/bin/env node
import { VERSION } from '../version.ts'

// An import of node:fs would also load its promises, which takes longer than the rest of `testfleet version`.
const { fstatSync, writeSync } = process.getBuiltinModule('node:fs')

/** Reads the call, runs the command, and ends with its exit code. Nothing is loaded that the call does not need. */
async function main(words: readonly string[]): Promise<number> {
  if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) {
    process.stdout.write(`testfleet ${VERSION}\n`)
    return 0
  }
  const { runCall } = await import('./run-call.ts')
  return runCall(words)
}

/** First error of stdout, except that its reader has left, as `head` does. */
let unwritten: NodeJS.ErrnoException | undefined
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') unwritten ??= error
})
// Node considers a write to a file complete even if the disk had room for only a part of it.
if (fstatSync(1).isFile()) {
  process.stdout._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(1, chunk, at)
      done()
    } catch (error) {
      done(error as Error)
    }
  }
}
// Progress that cannot be written is skipped; the work goes on.
process.stderr.on('error', () => {})

const words = process.argv.slice(2)
process.exitCode = await main(words)
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
if (unwritten !== undefined) {
  const { tellLostResult } = await import('./lost-result.ts')
  process.exitCode = tellLostResult(unwritten, words, process.exitCode)
}
