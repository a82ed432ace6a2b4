import { expect, test } from 'vitest'
import { putFilesFirst } from './bound-files.ts'

test.each([
  ['hosts: files dns', undefined],
  ['hosts:\tfiles mdns4_minimal [NOTFOUND=return] dns myhostname # and more', undefined],
  ['passwd: files systemd', undefined],
  ['', undefined],
  ['# hosts: dns', undefined],
  ['hosts: dns', 'hosts: files dns'],
  ['hosts: dns files', 'hosts: files dns'],
  [
    'hosts:      mymachines resolve [!UNAVAIL=return] files myhostname dns # as shipped',
    'hosts: files mymachines resolve [!UNAVAIL=return] myhostname dns',
  ],
  ['hosts: dns [!UNAVAIL=return] files [NOTFOUND=return] more', 'hosts: files dns [!UNAVAIL=return] more'],
  ['hosts: myfiles', 'hosts: files myfiles'],
])('%j: files come first', (line, changed) => {
  expect(putFilesFirst(`passwd: files\n${line}\nnetworks: files\n`)).toBe(
    changed === undefined ? undefined : `passwd: files\n${changed}\nnetworks: files\n`,
  )
})
