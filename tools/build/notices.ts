import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Returns the licences of the packages that `modules` come from. Fails for a package without one. */
export async function collectNotices(modules: ReadonlySet<string>): Promise<string> {
  const folders = new Set([...modules].map(packageFolder).filter((folder) => folder !== undefined))
  const notices = await Promise.all([...folders].sort().map(readNotice))
  return ['testfleet contains these packages, each under its own licence.', ...notices].join(
    `\n\n${'-'.repeat(80)}\n\n`,
  )
}

function packageFolder(module: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0]
}

async function readNotice(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const file = (await readdir(folder)).find((entry) => /^(?:licen[cs]e|copying)(?:\.\w+)?$/i.test(entry))
  if (file === undefined) throw new Error(`${name} is bundled, but ${dirname(folder)} has no licence file for it`)
  return `${name} ${version} (${license})\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`
}
