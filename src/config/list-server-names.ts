import { isBlock } from '../formats/block.ts'
import { NAME } from '../formats/grammar.ts'
import type { Host } from '../model/host.ts'
import { dropExtensions } from './drop-extensions.ts'
import { locateFleetFile } from './locate-fleet-file.ts'
import { parseYaml, readText } from './read-yaml.ts'
import { isTextFile } from './trust-fleet-file.ts'

/**
 * Names of the servers in a fleet file that may have mistakes elsewhere. Undefined for a fleet file that is a program,
 * which is not run. Fails as `locateFleetFile` and `parseYaml` do.
 */
export async function listServerNames(named: string | undefined, host: Host): Promise<string[] | undefined> {
  const { path } = await locateFleetFile(named, host)
  if (!isTextFile(path)) return undefined
  const { value } = dropExtensions(parseYaml(await readText(path, path), path))
  const servers = isBlock(value) && isBlock(value.servers) ? Object.keys(value.servers) : []
  return servers.filter((name) => NAME.test(name))
}
