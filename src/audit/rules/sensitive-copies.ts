import { sensitivePart } from '../sensitive-files.ts'
import type { Sighting, Subject } from '../subject.ts'

/** Copied files whose names say that they hold secrets. */
export function* findSensitiveCopies({ files }: Subject): Iterable<Sighting> {
  const told = new Set<string>()
  for (const { server, at, shown } of files) {
    const part = sensitivePart(shown)
    const key = JSON.stringify([at, part])
    // A repository's history has thousands of files, and is told once.
    if (part === undefined || told.has(key)) continue
    told.add(key)
    yield { id: 'sensitive-file-copied', server, at: { value: at }, message: `${part} is copied` }
  }
}
