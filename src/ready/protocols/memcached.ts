import type { ProtocolProbe } from '../probe.ts'
import { converse, says } from './conversation.ts'

/** `version` of the text protocol (doc/protocol.txt of memcached). */
export const probeMemcached: ProtocolProbe<'memcached'> = (check, target) => (signal, patienceMs) =>
  converse(check, target, signal, patienceMs, async ({ send, readLine }) => {
    send('version\r\n')
    const answer = await readLine()
    if (!answer.startsWith('VERSION ')) throw says(answer)
    send('quit\r\n')
  })
