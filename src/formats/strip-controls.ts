/** What servers and builds print is not ours: it must not reach a terminal as commands. Tabs stay. */
export function stripControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
  return text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '')
}

/** Returns each UTF-16 unit of a text as the escape that JSON has for it, such as `\u001b`. */
export function escapeUnits(text: string): string {
  return text.replaceAll(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
