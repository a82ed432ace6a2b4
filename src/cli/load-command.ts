import type { Call } from './call.ts'
import type { CommandName } from './commands.ts'

/** The code of a command. `run` resolves with the exit code. */
interface CommandCode {
  run(call: Call): Promise<number>
}

const loaders: Readonly<Record<CommandName, () => Promise<CommandCode>>> = {
  init: () => import('./init.ts'),
  check: () => import('./check.ts'),
  config: () => import('./config.ts'),
  plan: () => import('./plan.ts'),
  presets: () => import('./presets.ts'),
  schema: () => import('./schema.ts'),
  types: () => import('./types.ts'),
  pin: () => import('./pin.ts'),
  sbom: () => import('./sbom.ts'),
  bake: () => import('./bake.ts'),
  build: () => import('./build.ts'),
  save: () => import('./save.ts'),
  load: () => import('./load.ts'),
  up: () => import('./up.ts'),
  run: () => import('./run.ts'),
  warm: () => import('./warm.ts'),
  join: () => import('./join.ts'),
  share: () => import('./share.ts'),
  lease: () => import('./lease.ts'),
  release: () => import('./release.ts'),
  down: () => import('./down.ts'),
  ps: () => import('./ps.ts'),
  endpoints: () => import('./endpoints.ts'),
  hosts: () => import('./hosts.ts'),
  logs: () => import('./logs.ts'),
  events: () => import('./events.ts'),
  why: () => import('./why.ts'),
  exec: () => import('./exec.ts'),
  rm: () => import('./rm.ts'),
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
  restart: () => import('./restart.ts'),
  kill: () => import('./kill.ts'),
  pause: () => import('./pause.ts'),
  resume: () => import('./resume.ts'),
  reset: () => import('./reset.ts'),
  snapshot: () => import('./snapshot.ts'),
  restore: () => import('./restore.ts'),
  cp: () => import('./cp.ts'),
  port: () => import('./port.ts'),
  rmi: () => import('./rmi.ts'),
  prune: () => import('./prune.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
  version: () => import('./version.ts'),
  help: () => import('./print-help.ts'),
}

/** Loads the code of one command only: loading all of them takes longer than most calls. */
export function loadCommand(name: CommandName): Promise<CommandCode> {
  return loaders[name]()
}
