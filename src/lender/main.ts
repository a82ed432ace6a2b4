import process from 'node:process'
import { speakAs } from '../model/surface.ts'
import { type Service, serveLender } from './serve-lender.ts'

/**
 * The lender: a process that prepares servers and lends them. It is an ordinary caller with a keeper for each session
 * that it starts, so its death leaves nothing behind.
 */

// Its clients can be in any language: all of them have the command.
speakAs('command')

// A closing terminal and Ctrl-C are meant for the program that started it.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})
// The starter may have ended.
process.stdout.on('error', () => {})
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('the lender was asked to end')))

/** What a lender can be ordered to do. */
const services: Readonly<Record<string, () => Promise<{ serve: Service<never> }>>> = {
  pool: () => import('../lease/serve-pool.ts'),
  standby: () => import('../standby/serve-standby.ts'),
}

await serveLender(services, { stdin: process.stdin, stdout: process.stdout, signal: stop.signal }).then(
  () => process.exit(0),
  () => process.exit(1),
)
