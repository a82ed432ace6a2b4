/** The text without the secrets' values, neither as they are nor as JSON writes them. */
export function mask(text: string, values: readonly string[]): string {
  const forms = values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
  // The longest first: one secret may be the beginning of another.
  const longestFirst = forms.filter((form) => form !== '').sort((a, b) => b.length - a.length)
  return longestFirst.reduce((masked, form) => masked.replaceAll(form, '***'), text)
}
