/**
 * An nsswitch.conf by which names are looked for in /etc/hosts before anything else is asked; undefined when this one says
 * so already. Where systemd-resolved, for one, is asked first, it answers for the machine and knows nothing of a file that
 * only some of its processes see.
 */
export function putFilesFirst(nsswitch: string): string | undefined {
  const lines = nsswitch.split('\n')
  const index = lines.findLastIndex((line) => /^\s*hosts:/.test(line))
  // Without a line for hosts, the C library looks into files first.
  if (index === -1) return undefined
  const services = (lines[index] ?? '').replace(/#.*/s, '').trim().slice('hosts:'.length)
  if (/^\s*files\b/.test(services)) return undefined
  // With what stands in brackets behind a service, and says what to do after it.
  const others = services.replaceAll(/(?<!\S)files(?:\s+\[[^\]]*\])*/g, '').trim()
  return lines.with(index, `hosts: files ${others.replaceAll(/\s+/g, ' ')}`.trim()).join('\n')
}
