import { TestfleetError } from '../../model/failures.ts'
import type { ApiCall, QueryValue } from './api-call.ts'
import { wordsOf } from './explain-ping.ts'
import type { DockerLocation } from './location.ts'
import type { Call } from './transport.ts'
import type { Vigil } from './vigil.ts'

/** A call of the API as it goes over the wire, and what its failures are called. */
export function formCall(
  call: ApiCall,
  prefix: string,
  timeoutCovers: Call['timeoutCovers'],
  location: DockerLocation,
  vigil: Vigil | undefined,
): Call {
  const content = call.json === undefined ? call.body?.content : Buffer.from(JSON.stringify(call.json))
  const type = call.json === undefined ? call.body?.type : 'application/json'
  const { method, signal, timeoutMs } = call
  return {
    method,
    path: prefix + call.path + formatQuery(call.query),
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...call.headers },
    body: content ?? (method === 'POST' ? new Uint8Array() : undefined),
    signal,
    timeoutMs,
    timeoutCovers,
    vigil,
    isApart: false,
    onTimeout: () => slow(call, location),
    explain: (error) => lost(call, location, wordsOf(error), error),
  }
}

function formatQuery(query: ApiCall['query'] = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly QueryValue[]) : [value as QueryValue]) {
      if (one !== undefined) parameters.append(name, String(one))
    }
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

function slow(call: ApiCall, location: DockerLocation): TestfleetError {
  const message = `the engine at ${location.url} gave no answer to ${call.method} ${call.path} within ${(call.timeoutMs ?? 0) / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, {
    hint: "Look at the engine's log: it hangs, or has too much to do. TESTFLEET_ENGINE_TIMEOUT gives it more time.",
  })
}

export function lost(
  { method, path }: Pick<ApiCall, 'method' | 'path'>,
  location: DockerLocation,
  words: string,
  cause?: unknown,
): TestfleetError {
  const message = `the connection to the engine at ${location.url} broke during ${method} ${path}: ${words}`
  return new TestfleetError('ENGINE_LOST', message, { hint: 'Did the engine stop? Look at its log.', cause })
}
