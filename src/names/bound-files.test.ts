import { expect, test } from 'vitest'
import { isOuterView, putFilesFirst } from './bound-files.ts'

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

test.each([
  ['257 25 254:0 / / rw - ext4 /dev/vda rw', false],
  ['357 258 0:44 /hosts /etc/hosts rw,relatime - tmpfs testfleet rw,size=8k', true],
  ['357 258 0:44 /hosts /etc/hosts rw,relatime shared:7 master:2 - tmpfs testfleet rw,size=8k', true],
  ['357 258 254:0 /var/lib/docker/containers/1f/hosts /etc/hosts rw - ext4 /dev/vda rw', false],
  ['357 258 0:44 /hosts /etc/hostname rw - tmpfs testfleet rw', false],
])('%j: an outer call of testfleet is recognized by its mount', (line, isOuter) => {
  expect(isOuterView(`22 25 0:20 / /proc rw - proc proc rw\n${line}\n`)).toBe(isOuter)
})
