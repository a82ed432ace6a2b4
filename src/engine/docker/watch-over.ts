import { TestfleetError } from '../../model/failures.ts'
import type { ApiCall } from './api-call.ts'
import { wordsOf } from './explain-ping.ts'
import { lost } from './form-call.ts'
import type { DockerLocation } from './location.ts'
import type { Transport } from './transport.ts'
import type { Vigil } from './vigil.ts'

/** Keeps watch over one call: pings the engine on a connection of its own while the call is silent. */
export function watchOver(call: ApiCall, transport: Transport, location: DockerLocation, answerMs: number): Vigil {
  return {
    silenceMs: answerMs,
    async ask(signal) {
      const answer = await transport.send({
        method: 'GET',
        path: '/_ping',
        headers: {},
        body: undefined,
        signal,
        timeoutMs: answerMs,
        timeoutCovers: 'body',
        vigil: undefined,
        isApart: true,
        onTimeout: () => hangs(call, location, answerMs),
        explain: (error) => lost(call, location, wordsOf(error), error),
      })
      for await (const _ of answer.body);
      if (answer.status >= 500) throw lost(call, location, `the engine answers a ping with HTTP ${answer.status}`)
    },
  }
}

function hangs({ method, path }: ApiCall, location: DockerLocation, answerMs: number): TestfleetError {
  const message = `the engine at ${location.url} hangs: it was silent during ${method} ${path}, and gave no answer to a ping within ${answerMs / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, { hint: "Look at the engine's log." })
}
