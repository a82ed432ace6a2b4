import { connect, type Socket } from 'node:net'
import type { Address } from './check.ts'

/** A lost first packet is sent again by the kernel after a whole second: a new try comes sooner. */
const CONNECT_TIMEOUT_MS = 100
const REMOTE_CONNECT_TIMEOUT_MS = 3000

/** A connected socket; rejects with why there is none. The caller destroys it. */
export function openConnection(address: Address, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, signal })
    const timer = setTimeout(() => fail(new Error('does not take the connection')), connectTimeoutMs(address))
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

function connectTimeoutMs(address: Address): number {
  const isNear = /^(?:127\.|10\.|172\.|192\.168\.|localhost$|::1$)/.test(address.host)
  return isNear ? CONNECT_TIMEOUT_MS : REMOTE_CONNECT_TIMEOUT_MS
}

/** What went wrong, in a few words. */
export function wordError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  if (code === 'EHOSTUNREACH') return 'no route to it'
  return message
}
