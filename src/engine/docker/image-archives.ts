import { TestfleetError } from '../../model/failures.ts'
import { say } from '../../model/surface.ts'
import type { Engine } from '../engine.ts'
import type { Client, Maybe } from './client.ts'
import { diskFullHint, shortenDiskFull } from './disk-full.ts'
import { cleanWords } from './errors.ts'
import { errorIn, readJsonLines } from './json-lines.ts'

interface LoadJson {
  readonly stream?: Maybe<string>
  readonly error?: unknown
  readonly errorDetail?: Maybe<{ readonly message?: Maybe<string> }>
}

export function imageArchiveVerbs(client: Client) {
  return {
    async *saveImages(references, options) {
      // Podman writes only the first image unless it is told to write several.
      const query = { names: references, multiImageArchive: true }
      const request = { query, deadline: 'none' } as const
      const { body } = await client.openStream('GET /images/get', options, request)
      yield* body
    },
    async loadImages(archive, options) {
      // An error before anyone reads the archive must not end the process; it is reported when the archive is sent.
      archive.on('error', () => {})
      if (archive.errored) throw archive.errored
      try {
        const { body } = await client.openStream('POST /images/load', options, {
          query: { quiet: true },
          body: { type: 'application/x-tar', content: archive },
          deadline: 'none',
          limitsWholeStream: true,
          explainRefusal: ({ words }) => refuseArchive(words),
        })
        const loaded: string[] = []
        for await (const line of readJsonLines<LoadJson>(body)) {
          const error = errorIn(line)
          if (error !== undefined) throw refuseArchive(cleanWords(error))
          loaded.push(...readLoaded(line.stream ?? ''))
        }
        return loaded
      } finally {
        archive.destroy()
      }
    },
  } satisfies Partial<Engine>
}

/** Docker: `Loaded image: a:1`, or `Loaded image ID: sha256:…`; Podman lists several behind one colon. */
function readLoaded(text: string): string[] {
  const [, names] = /^Loaded image(?:\(s\)|s| ID)?: (.+)$/m.exec(text.trim()) ?? []
  return names?.split(/[\s,]+/).filter((name) => name !== '') ?? []
}

function refuseArchive(words: string): TestfleetError {
  const message = `the engine cannot load the archive: ${wordRefusal(words)}`
  const hint = diskFullHint(words) ?? `Write it with ${say('saveImages')} or \`docker save\`, and copy it whole.`
  return new TestfleetError('ARCHIVE_UNUSABLE', message, { hint, cause: words })
}

function wordRefusal(words: string): string {
  if (/unexpected EOF/.test(words)) return 'it is incomplete, or is not a tar archive'
  if (/archive\/tar: invalid tar header/.test(words)) return 'it is not a tar archive'
  // Without manifest.json, Docker looks for the file that archives had before its release 1.10.
  if (/\/repositories: no such file/.test(words)) return 'it has no images'
  return shortenDiskFull(words)
}
