import { Readable } from 'node:stream'
import { pack } from '../../src/engine/conformance/harness.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { type Labels, label } from '../../src/model/labels.ts'
import type { RuntimeUnderTest } from '../../src/runtime/conformance/harness.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'

const image = 'debian:bookworm-slim'

/** Containers of an engine as a runtime under test. It closes the engine. */
export function containersUnderTest(engine: Engine): RuntimeUnderTest {
  const made = new Set<string>()
  const build = async (labels: Labels, tag: string, instructions = ''): Promise<void> => {
    made.add(tag)
    const context = Readable.from([await pack({ Dockerfile: `FROM ${image}\n${instructions}\n` })])
    await engine.buildImage({ tags: [tag], labels, dockerfile: 'Dockerfile', context })
  }
  return {
    runtime: openContainers(engine),
    specify: (command) => ({ image, command }),
    async openMarks({ runtime, labels, name, start }) {
      const volume = name()
      await runtime.createVolume(volume, labels)
      const mounts = [{ kind: 'volume', volume, to: '/data', writable: true }] as const
      const looker = await start({ mounts })
      return {
        spec: { mounts, environment: { MARKS: '/data' } },
        async has(mark) {
          const look = await runtime.exec(looker.id, { command: ['test', '-e', `/data/${mark}`] })
          return (await look.exitCode()) === 0
        },
      }
    },
    async addStranger({ runtime, spec }) {
      // An image can carry any label: the name of its container does not end with the id of the change.
      const labels = { [label.server]: 'web', [label.change]: 'another' }
      const id = await runtime.createServer(spec({ labels }))
      await runtime.removeServer({ id, labels: {}, state: 'created' })
    },
    sharesLoopback: engine.location.remoteHost === undefined,
    async makeImage(labels, name, instructions) {
      const tag = name ?? 'testfleet/conformance-unnamed:1'
      await build(labels, tag, instructions)
      if (name !== undefined) return
      // The name moves on to another image.
      await build({ which: 'unnamed' }, tag)
      await engine.removeImage(tag)
    },
    describeImage: async (reference) => {
      made.add(reference)
      return engine.inspectImage(reference)
    },
    countImages: async (labels) => (await engine.listImages(labels)).length,
    async close() {
      for (const tag of made) await engine.removeImage(tag)
      engine.close()
    },
  }
}
