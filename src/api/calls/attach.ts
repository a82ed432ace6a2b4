/** Connects the command's own streams to a command inside a server. */
export type { ExecProcess, ExecRequest } from '../../engine/engine.ts'
export { execInServer } from '../../exec.ts'
export { collectOutput } from '../../report/collect-output.ts'
