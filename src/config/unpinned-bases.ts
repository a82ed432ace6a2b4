/** The images that a Dockerfile starts from and that no digest is written for, with the lines where they stand. */
export function findUnpinnedBases(
  dockerfile: string,
): readonly { readonly line: number; readonly reference: string }[] {
  const stages = new Set(['scratch'])
  return dockerfile.split('\n').flatMap((text, index) => {
    const words = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(text)
    if (words === null) return []
    const [, reference = '', stage] = words
    const isImage = !stages.has(reference.toLowerCase()) && !reference.includes('@sha256:')
    if (stage !== undefined) stages.add(stage.toLowerCase())
    return isImage ? [{ line: index + 1, reference }] : []
  })
}
