import { listFinalInstructions } from '../../formats/dockerfile.ts'
import type { Sighting, Subject } from '../subject.ts'

/** What only a Dockerfile can say; its steps and images are looked at with all others. */
export function* findDockerfileHabits({ fleet, dockerfiles }: Subject): Iterable<Sighting> {
  for (const dockerfile of dockerfiles) {
    const { server, file, instructions, target, at } = dockerfile
    const hasUser = listFinalInstructions(instructions, target).some(({ keyword }) => keyword === 'USER')
    if (!hasUser && fleet.servers.get(server)?.user === undefined) {
      const message = `${file} does not say who it runs as`
      yield { id: 'dockerfile-without-user', server, at: { value: [...at, 'dockerfile'] }, message }
    }
    for (const { line, keyword, rest } of instructions) {
      if (keyword !== 'ADD' || !/(?:^|[\s"])https?:\/\//i.test(rest) || /--checksum=/.test(rest)) continue
      const place = { position: { file, line, column: 1 } }
      yield { id: 'dockerfile-add-url', server, at: place, message: 'ADD takes whatever is at an address' }
    }
  }
}
