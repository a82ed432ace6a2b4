/** Where this program meets its user: at the command line, or as a library in another program. */
export type Surface = 'command' | 'library'

/**
 * What users write for what messages and hints ask of them: the one place that knows options of the command line and of the
 * library. A process is one or the other, so its kind is set once, when it starts.
 */
export const words = {
  command: {
    session: (name?: string) => (name === undefined ? '--session' : `--session ${name}`),
    file: (path?: string) => (path === undefined ? '-f' : `-f ${path}`),
    engine: () => '--engine',
    insecureEngine: () => '`--insecure-engine`',
    force: () => '--force',
    servers: () => '--server',
    bindFixed: () => '--bind fixed',
    warm: () => '`testfleet warm`',
    stopWarm: () => '`testfleet warm --stop`',
    idle: () => '`--idle`',
    names: (way: string) => `\`--names ${way}\``,
    format: (format: string) => `\`--format ${format}\``,
    followLink: () => '--follow-link',
    archive: () => '--archive',
    streamedExec: () => 'call `testfleet exec` without --json',
    up: (server?: string) => (server === undefined ? '`testfleet up`' : `\`testfleet up ${server}\``),
    startAgain: () => 'Start it again with `testfleet up`.',
    upKept: () => '`up --keep`',
    down: (session?: string) =>
      session === undefined ? '`testfleet down`' : `\`testfleet down --session ${session}\``,
    remove: (server: string) => `\`testfleet rm ${server}\``,
    control: (verb: string, server: string) => `\`testfleet ${verb} ${server}\``,
    build: (server: string) => `\`testfleet build ${server}\``,
    saveImages: () => '`testfleet save`',
    loadImages: () => '`testfleet load`',
    logs: () => '`testfleet logs`',
    exec: (server: string, command: string) => `\`testfleet exec ${server} -- ${command}\``,
    presets: () => '`testfleet presets`',
    prune: () => '`testfleet prune`',
    pruneImages: () => '`testfleet prune --images`',
    listUnused: () => '`testfleet prune --all --dry-run`',
  },
  library: {
    session: (name?: string) => (name === undefined ? '`session`' : `\`session: '${name}'\``),
    file: (path?: string) => (path === undefined ? 'its path' : `by its path, ${path}`),
    engine: () => '`engine`',
    insecureEngine: () => '`insecureEngine: true`',
    force: () => '`force: true`',
    servers: () => '`servers`',
    bindFixed: () => "`bind: 'fixed'`",
    warm: () => '`warm()`',
    stopWarm: () => '`warm` with `stop: true`',
    idle: () => '`idleMs`',
    names: (way: string) => `\`names: '${way}'\``,
    format: (format: string) => `the format \`${format}\``,
    followLink: () => '`followLink: true`',
    archive: () => '`archive: true`',
    streamedExec: () => 'use `spawn`',
    up: (server?: string) => (server === undefined ? '`up()`' : `\`up\` of ${server}`),
    startAgain: () => 'Start it again, with `startFleet()` or with `up()` of a client.',
    upKept: () => '`keep: true`',
    down: (session?: string) => (session === undefined ? '`down()`' : `\`down({ session: '${session}' })\``),
    remove: (server: string) => `\`remove(['${server}'])\``,
    control: (verb: string, server: string) => `\`server('${server}').${verb}()\``,
    build: (server: string) => `\`build\` of ${server}`,
    saveImages: () => '`saveImages()`',
    loadImages: () => '`loadImages()`',
    logs: () => '`logs()`',
    exec: (server: string, command: string) => `\`exec\` of ${server} with \`${command}\``,
    presets: () => '`presets()`',
    prune: () => '`prune()`',
    pruneImages: () => '`prune({ keepImages: 1 })`',
    listUnused: () => '`prune({ all: true, dryRun: true })`',
  },
} satisfies Record<Surface, Record<string, (...given: never[]) => string>>

type Words = (typeof words)['command']

let surface: Surface = 'library'

/** Says how this process is used. Default: as a library. */
export function speakAs(one: Surface): void {
  surface = one
}

/** The words of this process's user for an option or a call. */
export function say<Key extends keyof Words>(key: Key, ...given: Parameters<Words[Key]>): string {
  const word = words[surface][key] as (...given: Parameters<Words[Key]>) => string
  return word(...given)
}
