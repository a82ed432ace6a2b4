import { overTcp, says } from './conversation.ts'

/** `version` of the text protocol (doc/protocol.txt of memcached). */
export const probeMemcached = overTcp<'memcached'>(async ({ send, readLine }) => {
  send('version\r\n')
  const answer = await readLine()
  if (!answer.startsWith('VERSION ')) throw says(answer)
  send('quit\r\n')
})
