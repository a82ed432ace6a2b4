import { stripControls } from '../formats/strip-controls.ts'

/** Where all that is known of a failure lies; or why it does not. */
export function formatBundle(bundle: {
  readonly folder: string | undefined
  readonly archive: string | undefined
  readonly problem: string | undefined
}): string[] {
  const { folder, archive, problem } = bundle
  const what = folder === undefined ? 'there is no failure bundle' : 'the failure bundle is not complete'
  return [
    ...(problem === undefined ? [] : [`${what}: ${stripControls(problem)}`]),
    ...(archive === undefined ? [] : [`failure bundle as one file: ${archive}`]),
    ...(folder === undefined ? [] : [`failure bundle, summary.txt first: ${folder}`]),
  ]
}
