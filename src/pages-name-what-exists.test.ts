import { access, glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

const pages: string[] = []
for await (const page of glob(['*.md', 'docs/*.md', '{examples,clients}/*/README.md'], { cwd: root })) pages.push(page)

test.each(pages)('every link and path of this repository in %s leads to an existing file or folder', async (page) => {
  const text = await readFile(join(root, page), 'utf8')
  const targets = [...linksOf(text, dirname(page)), ...pathsOf(text)]
  const found = await Promise.all(targets.map(exists))
  expect(targets.filter((_, index) => !found[index])).toEqual([])
})

test.each(pages)('every link to a section of a page leads to an existing section: %s', async (page) => {
  const text = await readFile(join(root, page), 'utf8')
  const links = [...text.matchAll(/\]\(([\w./-]*)#([\w-]+)\)/g)]
  const found = await Promise.all(
    links.map(async ([, path = '', section = '']) => {
      const target = path === '' ? page : join(dirname(page), path)
      return sectionsOf(await readFile(join(root, target), 'utf8')).includes(section)
    }),
  )
  expect(links.filter((_, index) => !found[index]).map(([link]) => link)).toEqual([])
})

/** The names by which links lead to the headings of a page, as code hosts make them. */
function sectionsOf(text: string): string[] {
  const headings = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)]
  return headings.map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** The targets of relative links, from the root of the repository. */
function linksOf(text: string, folder: string): string[] {
  const links = [...text.matchAll(/\]\(([\w./:#-]+)\)/g)].map(([, link = '']) => link)
  const relative = links.filter((link) => !/^(?:[a-z]+:|#)/.test(link))
  return relative.map((link) => join(folder, link.replace(/#.*$/, '')))
}

/** Paths as pages name them, from the root of the repository; the `.` that ends a sentence is none of it. */
function pathsOf(text: string): string[] {
  const paths = [...text.matchAll(/(?<![\w./-])(?:src|tests|docs|tools|bench|examples|clients|bin)\/[\w./-]*/g)]
  return paths.map(([path]) => path.replace(/\.+$/, ''))
}

function exists(path: string): Promise<boolean> {
  return access(join(root, path)).then(
    () => true,
    () => false,
  )
}
