import { TestfleetError } from '../../../model/failures.ts'
import type { ImageConfig } from '../types.ts'

/** What a container may say about its program; its image says the rest. */
export interface WantedProgram {
  readonly command?: readonly string[] | undefined
  readonly entrypoint?: readonly string[] | undefined
  readonly workingDir?: string | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly hostname: string
  readonly tty?: boolean | undefined
}

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Returns the words of a container's program by Docker's rules: an entrypoint of its own drops the command of the image,
 * and one empty word drops the entrypoint. ENGINE_REFUSED when neither it nor its image has a command.
 */
export function wordsOf({ command, entrypoint }: WantedProgram, image: ImageConfig): readonly string[] {
  const isOwn = entrypoint !== undefined && entrypoint.length > 0
  const first = entrypoint ?? image.entrypoint ?? []
  const rest = command !== undefined && command.length > 0 ? command : isOwn ? [] : (image.command ?? [])
  const words = [...(first.length === 1 && first[0] === '' ? [] : first), ...rest]
  if (words.length > 0) return words
  throw new TestfleetError('ENGINE_REFUSED', 'the container has no command, and its image has none', {
    hint: 'Set `command`.',
  })
}

/** Returns the variables of a container: those of Docker, of its image, and its own. */
export function variablesOf(program: WantedProgram, image: ImageConfig): Readonly<Record<string, string>> {
  const { hostname, tty = false } = program
  return { PATH: USUAL_PATH, HOSTNAME: hostname, ...(tty && { TERM: 'xterm' }), ...givenVariables(program, image) }
}

/** Returns the variables that its image and the container itself set. */
export function givenVariables(
  { environment }: Pick<WantedProgram, 'environment'>,
  image: Pick<ImageConfig, 'environment'>,
): Readonly<Record<string, string>> {
  const own = image.environment.flatMap((text) => {
    const end = text.indexOf('=')
    return end > 0 ? [[text.slice(0, end), text.slice(end + 1)] as const] : []
  })
  return { ...Object.fromEntries(own), ...environment }
}

/** Returns the absolute path of the folder in which the program starts. */
export function workingFolderOf({ workingDir }: WantedProgram, image: ImageConfig): string {
  const path = workingDir || image.workingDir || '/'
  return path.startsWith('/') ? path : `/${path}`
}
