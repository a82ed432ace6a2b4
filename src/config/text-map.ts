/** Scalars of the file as the text that they stand for. */
export function toTextMap(
  record: Readonly<Record<string, string | number | boolean>> | undefined,
): Map<string, string> {
  return new Map(Object.entries(record ?? {}).map(([key, value]) => [key, String(value)]))
}
