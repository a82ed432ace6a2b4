import { createHash } from 'node:crypto'
import type { Harness } from '../../src/engine/conformance/harness.ts'
import { packArchive } from '../../src/files/archive.ts'
import type { ProtocolCheck } from '../../src/model/protocols.ts'

const quickPackages = ['redis-server', 'nsd']
const otherPackages = [
  ...['memcached', 'rabbitmq-server', 'mariadb-server', 'mosquitto', 'nats-server', 'bind9', 'vsftpd', 'dovecot-imapd'],
  ...['dovecot-pop3d', 'openssh-server', 'dante-server', 'squid', 'slapd', 'krb5-kdc', 'krb5-admin-server', 'chrony'],
  ...['postfix', 'postgresql', 'snmpd', 'freeradius', 'coturn', 'kamailio', 'libcoap3-bin', 'tftpd-hpa'],
  ...['openssl', 'samba', 'prosody'],
]

/** An image that has them; it is kept, so that only the first run has to wait for it. */
export async function buildQuickImage(harness: Harness): Promise<string> {
  return buildImage(harness, harness.image, quickPackages)
}

export async function buildOtherImage(harness: Harness): Promise<string> {
  return buildImage(harness, await buildQuickImage(harness), otherPackages)
}

async function buildImage(harness: Harness, from: string, packages: readonly string[]): Promise<string> {
  const text = `FROM ${from}
RUN printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
RUN ulimit -n 1024 && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')} && rm -rf /var/lib/apt/lists/*
`
  const tag = `testfleet/protocol-daemons:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  if ((await harness.engine.inspectImage(tag)) !== undefined) return tag
  const context = packArchive([{ kind: 'text', path: 'Dockerfile', mode: 0o644, text }])
  await harness.engine.buildImage({ tags: [tag], labels: {}, dockerfile: 'Dockerfile', context })
  return tag
}

/** Debian's servers, each with the least that its ready check wants. The password of alice is `secret-good`. */
export interface Daemon {
  readonly check: ProtocolCheck
  /** Shell text whose last command is the server. */
  readonly script: string
  /** A check that the server refuses, and the pattern of the answer. */
  readonly refused?: { readonly check: ProtocolCheck; readonly answer: RegExp }
  /** More checks that pass. */
  readonly also?: readonly ProtocolCheck[]
}

const good = { user: 'alice', password: { secret: 'good' } }
const bad = { user: 'alice', password: { secret: 'bad' } }
const addAlice = 'useradd --create-home alice; echo alice:secret-good | chpasswd'

export const quickDaemons: Readonly<Record<string, Daemon>> = {
  redis: {
    script: 'exec redis-server --protected-mode no --save "" --requirepass secret-good',
    check: { kind: 'redis', port: 6379, password: { secret: 'good' } },
    refused: {
      check: { kind: 'redis', port: 6379, password: { secret: 'bad' } },
      answer: /says "-WRONGPASS /,
    },
  },
  dns: {
    script: `
      printf '$TTL 60\\n@ SOA ns admin 1 60 60 60 60\\n@ NS ns\\nns A 192.0.2.1\\nwww A 192.0.2.2\\n' > /zone
      printf 'server:\\n  ip-address: 0.0.0.0\\nzone:\\n  name: one.test\\n  zonefile: /zone\\nremote-control:\\n  control-enable: no\\n' > /nsd.conf
      exec nsd -d -c /nsd.conf`,
    check: { kind: 'dns', port: 53, name: 'www.one.test' },
    also: [
      { kind: 'dns', port: 53 },
      { kind: 'dns', port: 53, name: 'one.test', type: 'SOA' },
    ],
    refused: { check: { kind: 'dns', port: 53, name: 'none.one.test' }, answer: /answers NXDOMAIN for none.one.test/ },
  },
}

export const otherDaemons: Readonly<Record<string, Daemon>> = {
  smtp: {
    script:
      'postconf -e maillog_file=/dev/stdout smtpd_peername_lookup=no myhostname=one.test mynetworks_style=host; exec postfix start-fg',
    check: { kind: 'smtp', port: 25 },
    refused: { check: { kind: 'smtp', port: 25, ...good }, answer: /offers no login by PLAIN or LOGIN/ },
  },
  postgres: {
    script: `
      cd /; export PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); echo secret-good > /password; mkdir -p /run/postgresql
      chown postgres /run/postgresql; install -d -o postgres /data
      setpriv --reuid postgres --regid postgres --clear-groups initdb -D /data -U alice -A scram-sha-256 --pwfile /password
      echo 'host all all all scram-sha-256' >> /data/pg_hba.conf
      exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D /data -c 'listen_addresses=*' -c fsync=off`,
    check: { kind: 'postgres', port: 5432, ...good, database: 'postgres' },
    also: [{ kind: 'postgres', port: 5432 }],
    refused: {
      check: { kind: 'postgres', port: 5432, ...bad, database: 'postgres' },
      answer: /answers "28P01": "password authentication failed for user \\"alice\\""/,
    },
  },
  'postgres by md5': {
    script: `
      cd /; export PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); echo secret-good > /password; mkdir -p /run/postgresql
      chown postgres /run/postgresql; install -d -o postgres /data
      setpriv --reuid postgres --regid postgres --clear-groups initdb -D /data -U alice -A md5 --pwfile /password
      echo 'host postgres all all md5' >> /data/pg_hba.conf
      echo 'host all all all password' >> /data/pg_hba.conf
      exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D /data -c 'listen_addresses=*' -c fsync=off`,
    check: { kind: 'postgres', port: 5432, ...good, database: 'postgres' },
    also: [{ kind: 'postgres', port: 5432, ...good, database: 'template1' }],
    refused: {
      check: { kind: 'postgres', port: 5432, ...bad, database: 'template1' },
      answer: /answers "28P01": /,
    },
  },
  memcached: {
    script: 'exec memcached -u nobody -l 0.0.0.0',
    check: { kind: 'memcached', port: 11211 },
  },
  amqp: {
    script: `
      printf 'default_user = alice\\ndefault_pass = secret-good\\n' > /etc/rabbitmq/rabbitmq.conf
      export RABBITMQ_NODENAME=rabbit@localhost; exec setpriv --reuid rabbitmq --regid rabbitmq --clear-groups \
        env HOME=/var/lib/rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server`,
    check: { kind: 'amqp', port: 5672, ...good },
    also: [{ kind: 'amqp', port: 5672 }],
    refused: { check: { kind: 'amqp', port: 5672, ...bad }, answer: /says "403 ACCESS_REFUSED/ },
  },
  mysql: {
    script: `
      install -d -o mysql /run/mysqld; rm -rf /var/lib/mysql; mariadb-install-db --user=mysql > /dev/null
      printf "create user alice identified by 'secret-good';\\n" > /init.sql
      exec mariadbd --user=mysql --bind-address=0.0.0.0 --init-file=/init.sql`,
    check: { kind: 'mysql', port: 3306, ...good },
    also: [{ kind: 'mysql', port: 3306 }],
    refused: { check: { kind: 'mysql', port: 3306, ...bad }, answer: /says "1045 Access denied for user 'alice'@/ },
  },
  mqtt: {
    script: `
      touch /passwords; mosquitto_passwd -b /passwords alice secret-good; chmod 644 /passwords
      printf 'listener 1883\\npassword_file /passwords\\n' > /mosquitto.conf; exec mosquitto -c /mosquitto.conf`,
    check: { kind: 'mqtt', port: 1883, ...good },
    refused: { check: { kind: 'mqtt', port: 1883, ...bad }, answer: /refuses: not authorized/ },
  },
  nats: {
    script: 'exec nats-server --user alice --pass secret-good',
    check: { kind: 'nats', port: 4222, ...good },
    refused: { check: { kind: 'nats', port: 4222, ...bad }, answer: /says "-ERR 'Authorization Violation'"/ },
  },
  'dns by BIND': {
    script: `
      printf 'options { recursion no; empty-zones-enable no; dnssec-validation no; listen-on-v6 { none; }; };\\n' > /named.conf
      exec named -g -c /named.conf`,
    check: { kind: 'dns', port: 53 },
    refused: { check: { kind: 'dns', port: 53, name: 'one.test' }, answer: /answers REFUSED for one.test/ },
  },
  ftp: {
    script: `${addAlice}
      printf 'auth required pam_unix.so\\naccount required pam_unix.so\\n' > /etc/pam.d/vsftpd
      printf 'listen=YES\\nlocal_enable=YES\\nbackground=NO\\nsecure_chroot_dir=/var/empty\\npam_service_name=vsftpd\\n' > /v.conf
      mkdir -p /var/empty; exec vsftpd /v.conf`,
    check: { kind: 'ftp', port: 21, ...good },
    also: [{ kind: 'ftp', port: 21 }],
    refused: { check: { kind: 'ftp', port: 21, ...bad }, answer: /says "530 Login incorrect/ },
  },
  imap: {
    script: dovecot('imap'),
    check: { kind: 'imap', port: 143, ...good },
    also: [
      { kind: 'imap', port: 143 },
      { kind: 'imap', port: 993, tls: true, ...good },
    ],
    refused: { check: { kind: 'imap', port: 143, ...bad }, answer: /says "a NO \[AUTHENTICATIONFAILED\]/ },
  },
  pop3: {
    script: dovecot('pop3'),
    check: { kind: 'pop3', port: 110, ...good },
    also: [
      { kind: 'pop3', port: 110 },
      { kind: 'pop3', port: 995, tls: true, ...good },
    ],
    refused: { check: { kind: 'pop3', port: 110, ...bad }, answer: /says "-ERR \[AUTH\]/ },
  },
  'smtp with a login': {
    script: `${dovecotFiles('')}
      printf 'service auth {\\n unix_listener /var/spool/postfix/private/auth {\\n mode = 0666\\n }\\n}\\n' >> /dovecot.conf
      dovecot -c /dovecot.conf
      postconf -e maillog_file=/dev/stdout smtpd_peername_lookup=no myhostname=one.test smtpd_sasl_auth_enable=yes smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth
      exec postfix start-fg`,
    check: { kind: 'smtp', port: 25, ...good },
    refused: { check: { kind: 'smtp', port: 25, ...bad }, answer: /says "535 5.7.8 Error: authentication failed/ },
  },
  ssh: {
    script: 'mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e',
    check: { kind: 'ssh', port: 22 },
  },
  socks5: {
    script: `${addAlice}
      printf 'logoutput: stderr\\ninternal: eth0 port = 1080\\nexternal: eth0\\nuser.privileged: root\\n' > /d.conf
      printf 'user.unprivileged: nobody\\nsocksmethod: username\\n' >> /d.conf
      printf 'client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\\n' >> /d.conf
      printf 'socks pass { from: 0.0.0.0/0 to: 127.0.0.1/32 port = 1080 }\\n' >> /d.conf
      exec danted -f /d.conf`,
    check: { kind: 'socks5', port: 1080, ...good },
    also: [{ kind: 'socks5', port: 1080 }],
    refused: { check: { kind: 'socks5', port: 1080, ...bad }, answer: /refuses the login/ },
  },
  httpProxy: {
    script: `
      printf 'alice:%s\\n' "$(openssl passwd -apr1 secret-good)" > /passwords
      printf 'http_port 3128\\nauth_param basic program /usr/lib/squid/basic_ncsa_auth /passwords\\n' > /squid.conf
      printf 'acl known proxy_auth REQUIRED\\nhttp_access allow known\\npid_filename none\\ncache_log /dev/null\\n' >> /squid.conf
      exec squid -N -f /squid.conf`,
    check: { kind: 'httpProxy', port: 3128, ...good },
    also: [
      { kind: 'httpProxy', port: 3128 },
      { kind: 'httpProxy', port: 3128, ...good, to: '127.0.0.1:3128' },
    ],
    refused: {
      check: { kind: 'httpProxy', port: 3128, ...bad },
      answer: /says "HTTP\/1.1 407 Proxy Authentication Required"/,
    },
  },
  ldap: {
    script: `
      install -d /ldap; printf 'include /etc/ldap/schema/core.schema\\nmodulepath /usr/lib/ldap\\nmoduleload back_mdb\\n' > /slapd.conf
      printf 'database mdb\\nsuffix "dc=one,dc=test"\\ndirectory /ldap\\n' >> /slapd.conf
      printf 'rootdn "cn=alice,dc=one,dc=test"\\nrootpw secret-good\\n' >> /slapd.conf
      exec slapd -d 0 -f /slapd.conf -h ldap:///`,
    check: { kind: 'ldap', port: 389, user: 'cn=alice,dc=one,dc=test', password: { secret: 'good' } },
    also: [{ kind: 'ldap', port: 389 }],
    refused: {
      check: { kind: 'ldap', port: 389, user: 'cn=alice,dc=one,dc=test', password: { secret: 'bad' } },
      answer: /answers invalidCredentials \(49\)/,
    },
  },
  kerberos: {
    script: `
      printf '[libdefaults]\\n default_realm = ONE.TEST\\n' > /etc/krb5.conf
      printf '[realms]\\n ONE.TEST = {\\n kdc_ports = 88\\n}\\n' > /etc/krb5kdc/kdc.conf
      kdb5_util create -s -r ONE.TEST -P master; exec krb5kdc -n`,
    check: { kind: 'kerberos', port: 88, realm: 'ONE.TEST' },
    refused: {
      check: { kind: 'kerberos', port: 88, realm: 'TWO.TEST' },
      answer: /does not know the realm TWO.TEST/,
    },
  },
  ntp: {
    script: `printf 'local stratum 10\\nallow\\npidfile /run/chronyd.pid\\n' > /chrony.conf; exec chronyd -x -d -u root -f /chrony.conf`,
    check: { kind: 'ntp', port: 123 },
  },
  'ntp that is not synchronised': {
    script: `printf 'allow\\npidfile /run/chronyd.pid\\n' > /chrony.conf; exec chronyd -x -d -u root -f /chrony.conf`,
    check: { kind: 'ntp', port: 123 },
  },
  snmp: {
    script: `printf 'agentaddress udp:161\\nrocommunity secret-good\\n' > /snmpd.conf; exec snmpd -f -Lo -C -c /snmpd.conf`,
    check: { kind: 'snmp', port: 161, community: { secret: 'good' } },
    refused: { check: { kind: 'snmp', port: 161, community: { secret: 'bad' } }, answer: /does not answer/ },
  },
  radius: {
    script: `
      printf 'client all {\\n ipaddr = 0.0.0.0/0\\n secret = secret-good\\n}\\n' > /etc/freeradius/3.0/clients.conf
      exec freeradius -f -l stdout`,
    check: { kind: 'radius', port: 1812, secret: { secret: 'good' } },
    refused: { check: { kind: 'radius', port: 1812, secret: { secret: 'bad' } }, answer: /does not answer/ },
  },
  stun: {
    script: 'exec turnserver -n --no-cli --log-file=stdout --listening-ip=0.0.0.0 --relay-ip=127.0.0.1',
    check: { kind: 'stun', port: 3478 },
  },
  sip: {
    script: `
      printf '#!KAMAILIO\\nloadmodule "sl.so"\\nlisten=udp:0.0.0.0:5060\\nauto_aliases=no\\n' > /k.cfg
      printf 'request_route {\\n sl_send_reply("200", "OK");\\n}\\n' >> /k.cfg
      exec kamailio -DD -E -f /k.cfg -n 1`,
    check: { kind: 'sip', port: 5060 },
  },
  smb: {
    script: `
      mkdir /two
      smbd --foreground --no-process-group --option='smb ports=1445' --option='pid directory=/two' \
        --option='lock directory=/two' --option='server max protocol=NT1' --option='server min protocol=NT1' &
      exec smbd --foreground --no-process-group --debug-stdout --option='smb ports=445'`,
    check: { kind: 'smb', port: 445 },
    refused: { check: { kind: 'smb', port: 1445 }, answer: /closes the connection/ },
  },
  coap: {
    script: 'exec coap-server-notls -A 0.0.0.0',
    check: { kind: 'coap', port: 5683 },
  },
  tftp: {
    script: 'mkdir -p /srv/tftp; echo hello > /srv/tftp/hello; exec in.tftpd -L -4 -s /srv/tftp',
    check: { kind: 'tftp', port: 69, file: 'hello' },
    refused: { check: { kind: 'tftp', port: 69, file: 'none' }, answer: /says "1 File not found"/ },
  },
  xmpp: {
    script: `
      printf 'modules_enabled = { "saslauth" }\\nmodules_disabled = { "s2s" }\\nc2s_require_encryption = false\\n' > /prosody.cfg.lua
      printf 'VirtualHost "one.test"\\n' >> /prosody.cfg.lua
      exec setpriv --reuid prosody --regid prosody --clear-groups prosody -F --config /prosody.cfg.lua`,
    check: { kind: 'xmpp', port: 5222, domain: 'one.test' },
    refused: {
      check: { kind: 'xmpp', port: 5222, domain: 'two.test' },
      answer: /refuses the stream: host-unknown/,
    },
  },
}

function dovecot(protocol: string): string {
  return `${dovecotFiles(protocol)}\nexec dovecot -F -c /dovecot.conf`
}

function dovecotFiles(protocol: string): string {
  return `
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=one.test -keyout /key.pem \
        -out /cert.pem 2> /dev/null
      printf 'alice:{PLAIN}secret-good:1000:1000::/home/alice\\n' > /passwords; install -d -o 1000 -g 1000 /home/alice
      printf 'protocols = ${protocol}\\nlog_path = /dev/stderr\\ndisable_plaintext_auth = no\\nssl = yes\\n' > /dovecot.conf
      printf 'ssl_cert = </cert.pem\\nssl_key = </key.pem\\nmail_location = maildir:~/Maildir\\n' >> /dovecot.conf
      printf 'auth_failure_delay = 0\\nservice anvil {\\n unix_listener anvil-auth-penalty {\\n mode = 0\\n }\\n}\\n' >> /dovecot.conf
      printf 'passdb {\\n driver = passwd-file\\n args = /passwords\\n}\\n' >> /dovecot.conf
      printf 'userdb {\\n driver = passwd-file\\n args = /passwords\\n}\\n' >> /dovecot.conf`
}
