import type { CallOptions } from '../../engine/engine.ts'
import type { DesiredImage, PreparedBuild } from '../../model/plan.ts'
import type { Tools } from '../../tools.ts'
import { toLines } from '../bounded-list.ts'
import type { Mask } from '../mask.ts'
import { readContainerLog } from './container-log.ts'
import type { BundleFolder } from './folder.ts'
import { formatTime } from './format-time.ts'
import type { BundledServer } from './gather.ts'
import { toJsonText } from './json-text.ts'

/** Writes what is known of one server. `isShown` is whether its container's own words may be written. */
export async function writeServerFiles(
  server: BundledServer,
  isShown: boolean,
  folder: BundleFolder,
  mask: Mask,
  { engine, recorder }: Tools,
  options: CallOptions,
): Promise<void> {
  const save = async (file: string, text: string | undefined): Promise<void> => {
    if (text !== undefined) await folder.save(`servers/${server.folder}/${file}`, mask.text(text))
  }
  const [build, ...bases] = buildsOf(recorder.subject?.images.get(server.name))
  await save('Dockerfile', build?.content.dockerfile)
  if (bases.length > 0) await save('Dockerfile.base', bases.map(({ content }) => content.dockerfile).join('\n'))
  await save('build.log', formatBuilds(server.name, recorder))
  await save('probes.tsv', formatProbes(server.name, recorder))
  if (server.container === undefined || !isShown) return
  const { id, raw } = server.container
  await folder.save(`servers/${server.folder}/inspect.json`, toJsonText(raw, mask))
  await folder.saveLines(`servers/${server.folder}/container.log`, readContainerLog(id, engine, mask, options))
}

/** The build of an image, and of those below it. */
function buildsOf(image: DesiredImage | undefined): PreparedBuild[] {
  const builds: PreparedBuild[] = []
  for (let build = image?.kind === 'built' ? image.build : undefined; build !== undefined; build = build.base) {
    builds.push(build)
  }
  return builds
}

function formatBuilds(server: string, recorder: Tools['recorder']): string | undefined {
  const builds = recorder.buildsOf(server)
  if (builds.size === 0) return undefined
  const parts = [...builds].map(([reference, lines]) => [
    `# ${reference}`,
    ...toLines(
      lines,
      ({ atMs, what }) => `${formatTime(atMs)} ${what}`,
      (count) => `[${count} lines are missing here: there were too many]`,
    ),
  ])
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function formatProbes(server: string, recorder: Tools['recorder']): string | undefined {
  const probes = recorder.probesOf(server)
  if (probes === undefined) return undefined
  const lines = toLines(
    probes,
    ({ atMs, what }) => [formatTime(atMs), what.check, what.answer].map(toCell).join('\t'),
    (count) => `\t\t${count} answers are missing here: there were too many`,
  )
  return `${['time\tcheck\tanswer', ...lines].join('\n')}\n`
}

/** What would end the cell or the row. */
function toCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}
