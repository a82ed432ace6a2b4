import { diagnose } from '../doctor.ts'
import type { Call } from './call.ts'
import { formatTable } from './format-report.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const diagnosis = await withTools(call, ({ engine, signal }) => diagnose(engine, signal))
  if (call.json) {
    writeJson(call, diagnosis)
    return 0
  }
  const { location, version, info, findings } = diagnosis
  call.output.write(
    formatTable([
      ['engine', `${location.url} (${location.because})`],
      [
        'version',
        `${version.product} ${version.version}, API ${version.api} (it speaks ${version.apiMin} to ${version.apiMax})`,
      ],
      [
        'system',
        `${info.operatingSystem}, ${version.os}/${version.arch}, ${info.cpus} CPUs, ${Math.round(info.memoryBytes / 1024 ** 3)} GiB`,
      ],
      ['storage', `${info.storageDriver}, cgroup v${info.cgroupVersion}${info.isRootless ? ', rootless' : ''}`],
    ]),
  )
  for (const { problem, advice } of findings) call.output.write(`! ${problem}\n  ${advice}\n`)
  if (findings.length === 0) call.output.write('Nothing is wrong with it.\n')
  return 0
}
