import { createRequire } from 'node:module'

/**
 * node:http by `require`: an `import` reads every name of a module, and one of this one's loads all of fetch and
 * WebSocket, 60 to 80 ms on Node 24.
 */
export const http = createRequire(import.meta.url)('node:http') as typeof import('node:http')
