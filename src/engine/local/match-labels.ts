import type { Labels } from '../../model/labels.ts'

/** Whether something with these labels has all the wanted ones. An empty wanted value matches any value. */
export function matchLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const found = Object.hasOwn(labels, name) ? labels[name] : undefined
    return found !== undefined && (value === '' || found === value)
  })
}
