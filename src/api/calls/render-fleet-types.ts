import { basename } from 'node:path'
import type { Fleet, Port, Server } from '../../model/fleet.ts'

/**
 * Writes a declaration file with the names, ports and exports of a fleet's servers, in the form of a fleet file. Presets are
 * expanded in it, so that it also covers the ones of the user's own.
 */
export function renderFleetTypes({ name, file, servers }: Pick<Fleet, 'name' | 'file' | 'servers'>): string {
  const source = file === undefined ? '' : ` from ${wordComment(basename(file))}`
  return [
    `// Written by \`testfleet types\`${source}. Run it again when the fleet file changes.\n\n`,
    `/** Servers of the fleet ${name}, for \`startFleet<Fleet>()\` and \`joinFleet<Fleet>()\`. */\n`,
    'export interface Fleet {\n  readonly servers: {\n',
    ...[...servers.values()].map(renderServer),
    '  }\n}\n',
  ].join('')
}

function renderServer({ name, ports, export: exported }: Pick<Server, 'name' | 'ports' | 'export'>): string {
  const variables = [...exported.keys()].map((key) => `        readonly ${key}: string\n`)
  return [
    `    readonly ${quoteKey(name)}: {\n`,
    `      readonly ports: readonly [${ports.map(renderPort).join(', ')}]\n`,
    variables.length === 0 ? '' : `      readonly export: {\n${variables.join('')}      }\n`,
    '    }\n',
  ].join('')
}

function renderPort({ container, protocol }: Port): string {
  return protocol === 'tcp' ? String(container) : `'${container}/${protocol}'`
}

function quoteKey(key: string): string {
  return /^[a-z]\w*$/.test(key) ? key : `'${key}'`
}

/** The name of a file can contain characters that end a line. */
function wordComment(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
