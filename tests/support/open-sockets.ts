import { createHook } from 'node:async_hooks'

const tcp = ['TCPWRAP', 'TCPSERVERWRAP', 'GETADDRINFOREQWRAP']
const others = ['UDPWRAP', 'PIPEWRAP', 'PIPESERVERWRAP']

export interface SocketWatch extends Disposable {
  /** Those of the watched sockets that are open: connections, listeners and name look-ups. */
  countOpen(): { readonly tcp: number; readonly others: number }
}

/** Watches the sockets that this process opens from now on. What other tests left open does not count. */
export function watchSockets(): SocketWatch {
  const open = new Map<number, string>()
  const hook = createHook({
    init: (id, kind) => void open.set(id, kind),
    destroy: (id) => void open.delete(id),
  }).enable()
  const count = (kinds: readonly string[]): number => [...open.values()].filter((kind) => kinds.includes(kind)).length
  return {
    countOpen: () => ({ tcp: count(tcp), others: count(others) }),
    [Symbol.dispose]: () => void hook.disable(),
  }
}
