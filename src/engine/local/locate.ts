import { isAbsolute, join, normalize } from 'node:path'
import { TestfleetError } from '../../model/failures.ts'
import type { Host } from '../../model/host.ts'
import { describeLocation } from '../dial/dial.ts'
import type { EngineLocation } from '../engine.ts'

/** Location of the local engine. */
export interface LocalLocation extends EngineLocation {
  readonly endpoint: { readonly kind: 'local'; readonly folder: string }
}

type LocalHost = Pick<Host, 'environment' | 'homeFolder' | 'platform' | 'userId'>

/** Whether a name of an engine means the local engine: `local`, or `local:` and a folder. */
export function isLocal(named: string): boolean {
  return /^local(?::|$)/i.test(named)
}

/**
 * Locates the local engine. `because` says what named it. Fails with ENGINE_CONFIGURATION for a folder that is not
 * absolute, and where there is no local engine.
 */
export function locateLocal(named: string, because: string, host: LocalHost): LocalLocation {
  const { platform } = host
  const refuse = (why: string, hint: string): TestfleetError =>
    new TestfleetError('ENGINE_CONFIGURATION', `${because} names the engine "${named}": ${why}`, { hint })
  if (platform !== 'linux')
    throw refuse(`the local engine is for Linux, not for ${platform}`, 'Use a container engine, such as Docker.')
  const text = named.slice('local:'.length)
  if (text !== '' && !isAbsolute(text))
    throw refuse(
      `${text} is not an absolute path`,
      'Write local, or local: and an absolute path, such as local:/tmp/store.',
    )
  const folder = text === '' ? localFolder(host) : normalize(text).replace(/(?<=.)\/+$/, '')
  return describeLocation({ kind: 'local', folder }, because)
}

/** Default folder of the local engine: one for root, one for each user. */
export function localFolder({ environment, homeFolder, userId }: LocalHost): string {
  if (userId === 0) return '/var/lib/testfleet/local'
  const { XDG_DATA_HOME: data = '' } = environment
  // The base directory specification has relative paths ignored.
  return join(isAbsolute(data) ? data : join(homeFolder, '.local/share'), 'testfleet/local')
}
