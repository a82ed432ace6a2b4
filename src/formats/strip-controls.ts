/**
 * What makes a terminal do something, or hides in text, and is no text itself: whole control sequences (ECMA-48), single
 * control characters, and characters that nobody sees or that change the order of others. Tabs and line feeds are text.
 */
const controlSequence = String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`
const controlString = String.raw`(?:\u001b[P\]X^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)`
const otherEscape = String.raw`\u001b[ -/]+[0-~]`
/** The source of a regular expression, for the flag `u`, for a single such character. */
export const controlCharacterSource = String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]`

/** The source of a regular expression for one of them, for the flag `u`. Its time is linear. */
export const controlSource = `${controlSequence}|${controlString}|${otherEscape}|${controlCharacterSource}`

const controls = new RegExp(controlSource, 'gu')
const plainText = /^[\t\n\u0020-\u007e]*$/

/** Removes control characters and sequences from a text of several lines. */
export function stripFromLines(text: string): string {
  return plainText.test(text) ? text : text.replaceAll(controls, '')
}

/** What servers and builds print must stay on one line, and must not reach a terminal as commands. Tabs stay. */
export function stripControls(text: string): string {
  return stripFromLines(text).replaceAll('\n', '')
}

/** Stands where testfleet has cut a text, which may be in the middle of a secret: the mask looks for it. */
export const CUT = '…'

/** Returns each UTF-16 unit of a text as the escape that JSON has for it, such as `\u001b`. */
export function escapeUnits(text: string): string {
  return text.replaceAll(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
