/** Made from src/presets by `node tools/preset-types.ts`. */

/** Where a secret comes from. */
type SecretSource = { readonly [from in 'env' | 'file' | 'generate' | 'value' | 'outside']?: string | number | boolean }

/**
 * What the types know of the servers of the catalogue, by the name of their preset: the ports that they publish, the variables
 * that they export, what an option that is on adds to both, and the type of each option.
 */
export interface PresetTypes {
  apache2: {
    ports: '80/tcp'
    exports: 'WEB_URL' | 'WEB_USER' | 'WEB_PASSWORD'
    adds: {
      tls: { default: false; ports: '443/tcp'; exports: 'WEB_TLS_URL' }
    }
    options: {
      /** Who may log in and write. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Serve the same over TLS too, at port 443. */
      readonly tls?: boolean | undefined
      /** Answer TRACE, which sends back what was asked. */
      readonly trace?: boolean | undefined
      /** A folder of documents, in place of the page; its .htaccess files count. */
      readonly seed?: string | undefined
      /** A folder of documents for /basic/ and /digest/. */
      readonly private?: string | undefined
      /** A folder of programs for /cgi-bin/, each made executable. */
      readonly cgi?: string | undefined
      /** Ask for no login at /dav/. */
      readonly openDav?: boolean | undefined
      /** A file of directives that the server reads after its own. */
      readonly configuration?: string | undefined
    }
  }
  bind9: {
    ports: '53/tcp' | '53/udp'
    exports: 'DNS_ADDRESS' | 'DNS_ZONE'
    adds: {
      tls: { default: false; ports: '853/tcp'; exports: never }
    }
    options: {
      /** Its zone, in lower case. */
      readonly zone?: string | undefined
      /** Records of the zone: a name, a type and data, as in a zone file. */
      readonly records?: readonly string[] | undefined
      /** A whole zone file for `zone`, in place of `records`. */
      readonly seed?: string | undefined
      /** The name of the TSIG key for updates and transfers. */
      readonly user?: string | undefined
      /** The key itself, as plain text. */
      readonly password?: SecretSource | undefined
      /** More TSIG keys, which may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** DNS over TLS too, at port 853. */
      readonly tls?: boolean | undefined
    }
  }
  chrony: {
    ports: '123/udp'
    exports: 'NTP_ADDRESS'
    adds: {
      tls: { default: false; ports: '4460/tcp'; exports: never }
    }
    options: {
      /** How far it claims to be from a true clock. */
      readonly stratum?: number | undefined
      /** The number of the key that clients may ask with. */
      readonly key?: number | undefined
      /** That key, as plain text, for SHA256. */
      readonly password?: SecretSource | undefined
      /** Network Time Security too: keys are agreed on at port 4460, over TLS. */
      readonly tls?: boolean | undefined
    }
  }
  coap: {
    ports: '5683/udp' | '5683/tcp'
    exports: 'COAP_URL'
    adds: {
      dtls: { default: false; ports: '5684/udp' | '5684/tcp'; exports: never }
    }
    options: {
      /** How many resources clients may make, by PUT. */
      readonly resources?: number | undefined
      /** How many of a hundred of its datagrams it loses, by chance. */
      readonly loss?: number | undefined
      /** Port 5684 too, for who has a shared key: DTLS over UDP, TLS over TCP. */
      readonly dtls?: boolean | undefined
      /** The identity that goes with the key. */
      readonly user?: string | undefined
      /** The key of that identity, at most 64 characters without a comma. */
      readonly password?: SecretSource | undefined
      /** More identities, each with its key. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
    }
  }
  coturn: {
    ports: '3478/tcp' | '3478/udp'
    exports: 'STUN_URL' | 'TURN_URL' | 'TURN_USER' | 'TURN_PASSWORD'
    adds: {
      tls: { default: false; ports: '5349/tcp' | '5349/udp'; exports: never }
    }
    options: {
      /** Who may relay. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The realm of its users. */
      readonly realm?: string | undefined
      /** TURN over TLS and DTLS too, at port 5349. */
      readonly tls?: boolean | undefined
    }
  }
  cyrus: {
    ports: '143/tcp'
    exports: 'IMAP_URL' | 'IMAP_USER' | 'IMAP_PASSWORD'
    adds: {
      tls: { default: false; ports: '993/tcp'; exports: 'IMAP_TLS_URL' }
    }
    options: {
      /** Who has a mailbox. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, each with a mailbox. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** STARTTLS at port 143, and TLS from the first byte on at port 993. */
      readonly tls?: boolean | undefined
      /** Begin each mailbox with one message. */
      readonly welcome?: boolean | undefined
      /** A folder with a folder for each user, of messages (*.eml), delivered in the order of their names. */
      readonly seed?: string | undefined
    }
  }
  danted: {
    ports: '1080/tcp' | '1081/tcp'
    exports: 'SOCKS_URL' | 'SOCKS_PASSWORD_URL'
    adds: object
    options: {
      /** Who may use the port with a password. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** More domains that servers of the fleet have, besides the fleet's own. */
      readonly domains?: readonly string[] | undefined
    }
  }
  dnsmasq: {
    ports: '53/tcp' | '53/udp'
    exports: 'DNS_ADDRESS'
    adds: object
    options: {
      /** Names in it that it does not have do not exist; all others are refused. */
      readonly domain?: string | undefined
      /** Names, each with an address. The address leads back to the name, too. */
      readonly hosts?: readonly string[] | undefined
      /** Domains, each with an address that it and all names below it have. */
      readonly wildcards?: readonly string[] | undefined
      /** How long its answers may be kept, in seconds. */
      readonly ttl?: number | undefined
      /** A file like /etc/hosts, in place of `hosts`. */
      readonly seed?: string | undefined
    }
  }
  'docker-registry': {
    ports: '5000/tcp'
    exports: 'REGISTRY'
    adds: {
      login: { default: true; ports: never; exports: 'REGISTRY_USER' | 'REGISTRY_PASSWORD' }
    }
    options: {
      /** Who may pull and push. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Take nothing new: what it has is its seed. */
      readonly readOnly?: boolean | undefined
      /** What another registry of this kind keeps in its folder: the one that holds docker/registry/v2. */
      readonly seed?: string | undefined
      /** Speak TLS, and nothing else, at its port. */
      readonly tls?: boolean | undefined
    }
  }
  echo: {
    ports: '7/tcp' | '7/udp' | '9/tcp' | '9/udp' | '13/tcp' | '13/udp' | '37/tcp' | '37/udp'
    exports: 'ECHO_ADDRESS'
    adds: {
      chargen: { default: false; ports: '19/tcp' | '19/udp'; exports: never }
    }
    options: {
      /** Port 19 too, which sends without end. */
      readonly chargen?: boolean | undefined
    }
  }
  etcd: {
    ports: '2379/tcp'
    exports: 'ETCD_ENDPOINT'
    adds: {
      login: { default: true; ports: never; exports: 'ETCD_USER' | 'ETCD_PASSWORD' }
    }
    options: {
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `root`. */
      readonly password?: SecretSource | undefined
      /** More users, who may read and write every key. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** A file of keys and values, one pair a line: the key, a space, the value. */
      readonly seed?: string | undefined
      /** Speak TLS, and nothing else, at its port. */
      readonly tls?: boolean | undefined
    }
  }
  firewall: {
    ports: `${number}/tcp`
    exports: 'FIREWALL_HOST' | 'FIREWALL_OPEN_PORT' | 'FIREWALL_RESET_PORT' | 'FIREWALL_DROP_PORT' | 'FIREWALL_PROHIBIT_PORT'
    adds: object
    options: {
      /** The port that is open. */
      readonly open?: number | undefined
      /** The port that refuses at once. */
      readonly reset?: number | undefined
      /** The port that says nothing. */
      readonly drop?: number | undefined
      /** The port that says that it is forbidden. */
      readonly prohibit?: number | undefined
    }
  }
  freeradius: {
    ports: '1812/udp' | '1813/udp'
    exports: 'RADIUS_ADDRESS' | 'RADIUS_SECRET' | 'RADIUS_USER' | 'RADIUS_PASSWORD'
    adds: object
    options: {
      /** Who is let in. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who are let in, too. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** What every client shares with it. */
      readonly secret?: SecretSource | undefined
      /** Attributes, each with a value, that it sends to who is let in. */
      readonly reply?: readonly string[] | undefined
      /** A file of users with their attributes, in the form of FreeRADIUS's `users`. */
      readonly seed?: string | undefined
    }
  }
  'ftp-proxy': {
    ports: '2121/tcp'
    exports: 'FTP_PROXY_URL'
    adds: object
    options: {
      /** The FTP server that it leads to when the user names none. */
      readonly server?: string | undefined
      /** The address that PASV names, such as 127.0.0.1. Default: the proxy's own. */
      readonly passiveAddress?: string | undefined
      /** How many ports, from 30100 on, data connections go to. */
      readonly passivePorts?: number | undefined
    }
  }
  haproxy: {
    ports: '80/tcp' | '8404/tcp'
    exports: 'BALANCER_URL' | 'STATS_URL'
    adds: {
      tls: { default: false; ports: '443/tcp'; exports: 'BALANCER_TLS_URL' }
    }
    options: {
      /** The servers behind it, such as web1:80; without any, it answers 503 itself. */
      readonly servers?: readonly string[] | undefined
      /** What it understands of what it passes on. */
      readonly mode?: 'http' | 'tcp' | undefined
      /** To whom the next goes: each in turn, who has the fewest, or always the same for one client. */
      readonly balance?: 'roundrobin' | 'leastconn' | 'source' | undefined
      /** A path that a server must answer with 2xx or 3xx to be up; default: that it takes a connection. */
      readonly check?: string | undefined
      /** How many of the servers must be up before it is ready. */
      readonly waitFor?: 'all' | 'one' | 'none' | undefined
      /** Who may see the statistics. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Take TLS too, at port 443, and pass on what is in it. */
      readonly tls?: boolean | undefined
      /** A file of more sections, such as a frontend; it is read after the preset's. */
      readonly configuration?: string | undefined
    }
  }
  kamailio: {
    ports: '5060/udp' | '5060/tcp'
    exports: 'SIP_SERVER' | 'SIP_TCP_SERVER' | 'SIP_REALM' | 'SIP_USER' | 'SIP_PASSWORD'
    adds: {
      tls: { default: false; ports: '5061/tcp'; exports: 'SIP_TLS_SERVER' }
    }
    options: {
      /** Who may register and call. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The realm that a login is for. */
      readonly realm?: string | undefined
      /** Speak TLS too, at port 5061. */
      readonly tls?: boolean | undefined
    }
  }
  'krb5-kdc': {
    ports: '88/tcp' | '88/udp'
    exports: 'KRB5_REALM' | 'KRB5_KDC' | 'KRB5_USER' | 'KRB5_PASSWORD'
    adds: object
    options: {
      /** The realm, in upper case. */
      readonly realm?: string | undefined
      /** A principal. */
      readonly user?: string | undefined
      /** The password of that principal. */
      readonly password?: SecretSource | undefined
      /** More principals. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Principals of services, such as HTTP/web.example.test, with keys at random in /srv/keytabs/services.keytab. */
      readonly services?: readonly string[] | undefined
      /** The mode of the keytab. With 0644 servers that run as other users can read it from a volume. */
      readonly keytabMode?: '0600' | '0640' | '0644' | undefined
    }
  }
  mail: {
    ports: '25/tcp' | '587/tcp' | '143/tcp' | '110/tcp'
    exports: 'SMTP_URL' | 'SUBMISSION_URL' | 'IMAP_URL' | 'POP3_URL' | 'MAIL_ADDRESS'
    adds: {
      tls: { default: false; ports: '465/tcp' | '993/tcp' | '995/tcp'; exports: never }
    }
    options: {
      /** The domain whose mail it takes, in lower case. */
      readonly domain?: string | undefined
      /** The name of the mailbox. */
      readonly user?: string | undefined
      /** The password of that mailbox. */
      readonly password?: SecretSource | undefined
      /** More mailboxes. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The largest message, in bytes. */
      readonly maxSize?: number | undefined
      /** STARTTLS at the ports for clear text, and TLS at 465 (SMTP), 993 (IMAP) and 995 (POP3). */
      readonly tls?: boolean | undefined
      /** A folder with a folder for each mailbox, in which each file is a message. */
      readonly seed?: string | undefined
    }
  }
  mariadb: {
    ports: '3306/tcp'
    exports: 'DATABASE_URL' | 'MYSQL_HOST' | 'MYSQL_TCP_PORT' | 'MYSQL_USER' | 'MYSQL_DATABASE'
    adds: {
      login: { default: true; ports: never; exports: 'MYSQL_PASSWORD' }
    }
    options: {
      /** Who may do everything in the database. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The database that there is. */
      readonly database?: string | undefined
      /** Whether `user` may do everything on the server. */
      readonly superuser?: boolean | undefined
      /** An SQL file, or a folder of .sql files in the order of their names, that is run before the port is open. */
      readonly seed?: string | undefined
      /** How texts compare. */
      readonly collation?: string | undefined
      /** How many connections there may be at once. */
      readonly maxConnections?: number | undefined
      /** Wait until what is written is on the disk, as a server that must not lose anything does. */
      readonly durable?: boolean | undefined
      /** More settings, such as sql_mode=ANSI. */
      readonly settings?: readonly string[] | undefined
      /** Offer TLS too, at the same port. */
      readonly tls?: boolean | undefined
    }
  }
  memcached: {
    ports: '11211/tcp'
    exports: 'MEMCACHED_SERVERS'
    adds: object
    options: {
      /** Who may use it, by memcached's own login of its text protocol. Default: everyone, without a password. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** How many megabytes of values it keeps. */
      readonly memory?: number | undefined
      /** The largest value, such as 2m; at most half of the memory. */
      readonly maxItemSize?: string | undefined
      /** How many connections there may be at once. */
      readonly maxConnections?: number | undefined
    }
  }
  mosquitto: {
    ports: '1883/tcp'
    exports: 'MQTT_URL'
    adds: {
      tls: { default: false; ports: '8883/tcp'; exports: never }
    }
    options: {
      /** Who may do everything. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything, too, or what `acl` says. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Let everyone in who gives no name, too. */
      readonly anonymous?: boolean | undefined
      /** An access control list, as acl_file of mosquitto.conf wants it. It counts for everyone. */
      readonly acl?: string | undefined
      /** Keep retained messages and sessions on the disk. */
      readonly persist?: boolean | undefined
      /** The largest packet, in bytes. Default: the protocol's. */
      readonly maxPacketSize?: number | undefined
      /** MQTT over TLS too, at port 8883. */
      readonly tls?: boolean | undefined
    }
  }
  nats: {
    ports: '4222/tcp' | '8222/tcp'
    exports: 'NATS_URL' | 'NATS_MONITORING_URL'
    adds: object
    options: {
      /** Who may do everything. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything, too. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Keep streams (JetStream), on the disk. */
      readonly jetstream?: boolean | undefined
      /** The largest message, in bytes. */
      readonly maxPayload?: number | undefined
      /** Offer TLS too, at the same port. */
      readonly tls?: boolean | undefined
    }
  }
  nginx: {
    ports: '80/tcp'
    exports: 'WEB_URL' | 'WEB_USER' | 'WEB_PASSWORD'
    adds: {
      tls: { default: false; ports: '443/tcp'; exports: 'WEB_TLS_URL' }
    }
    options: {
      /** Who may see the pages for users. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Serve the same over TLS too, at port 443. */
      readonly tls?: boolean | undefined
      /** List a folder that has no page of its own. */
      readonly autoindex?: boolean | undefined
      /** A folder of documents, in place of the page that it has. */
      readonly seed?: string | undefined
      /** A folder of documents for /private/. */
      readonly private?: string | undefined
      /** A file of directives for the server, such as locations and headers. */
      readonly configuration?: string | undefined
    }
  }
  openldap: {
    ports: '389/tcp'
    exports: 'LDAP_URL' | 'LDAP_BASE_DN' | 'LDAP_BIND_DN' | 'LDAP_PASSWORD'
    adds: {
      tls: { default: false; ports: '636/tcp'; exports: never }
    }
    options: {
      /** What all names end with. */
      readonly suffix?: string | undefined
      /** The password of the administrator, cn=admin,SUFFIX. */
      readonly password?: SecretSource | undefined
      /** People: uid=NAME,ou=people,SUFFIX, each an inetOrgPerson with mail NAME@ and the suffix's domain. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Let everyone read, but no passwords. Otherwise who has logged in. */
      readonly anonymous?: boolean | undefined
      /** Overlays of the database, in this order, such as memberof, refint, unique, ppolicy or syncprov. */
      readonly overlays?: readonly string[] | undefined
      /** More modules to load. Those of `overlays` are loaded anyway. */
      readonly modules?: readonly string[] | undefined
      /** More schemas of the package. */
      readonly schemas?: readonly string[] | undefined
      /** More lines of slapd.conf before the database, such as `password-hash {SSHA512}`. */
      readonly globalSettings?: readonly string[] | undefined
      /** More lines for the database and its overlays, such as `unique_uri ldap:///?mail?sub`. */
      readonly settings?: readonly string[] | undefined
      /** Whether clients show a certificate (TLSVerifyClient). */
      readonly clientCertificates?: 'never' | 'allow' | 'try' | 'demand' | undefined
      /** LDIF beneath the suffix: a file, or a folder of .ldif files in the order of their names. */
      readonly seed?: string | undefined
      /** StartTLS at port 389, and LDAP over TLS at 636. */
      readonly tls?: boolean | undefined
    }
  }
  openssh: {
    ports: '22/tcp'
    exports: 'SSH_HOST' | 'SSH_PORT' | 'SSH_USER' | 'SSH_PASSWORD'
    adds: object
    options: {
      /** Who may log in. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may log in, too. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The public keys of users, by name, such as alice: { file: alice.pub }; each a file of authorized_keys. */
      readonly authorizedKeys?: { readonly [user in string]: SecretSource } | undefined
      /** Whether a password is enough; otherwise it takes a key. */
      readonly passwords?: boolean | undefined
      /** No shell and no command, but SFTP alone. */
      readonly sftpOnly?: boolean | undefined
      /** Files that everyone finds in a home directory of their own. */
      readonly seed?: string | undefined
    }
  }
  postgresql: {
    ports: '5432/tcp'
    exports: 'DATABASE_URL' | 'PGHOST' | 'PGPORT' | 'PGUSER' | 'PGDATABASE'
    adds: {
      login: { default: true; ports: never; exports: 'PGPASSWORD' }
    }
    options: {
      /** Who owns the database; may make more of them. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, each a member of `user`: what it may do, they may. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The database that there is. */
      readonly database?: string | undefined
      /** Whether `user` may do everything on the server. */
      readonly superuser?: boolean | undefined
      /** Extensions of the database, such as pgcrypto; there before the seed. */
      readonly extensions?: readonly string[] | undefined
      /** An SQL file, or a folder of .sql files in the order of their names, that `user` runs before the port is open. */
      readonly seed?: string | undefined
      /** How many connections there may be at once. */
      readonly maxConnections?: number | undefined
      /** Wait until what is written is on the disk, as a server that must not lose anything does. */
      readonly durable?: boolean | undefined
      /** More settings, such as log_statement=all. */
      readonly settings?: readonly string[] | undefined
      /** Offer TLS too, at the same port. */
      readonly tls?: boolean | undefined
    }
  }
  prosody: {
    ports: '5222/tcp'
    exports: 'XMPP_ADDRESS' | 'XMPP_PASSWORD' | 'XMPP_SERVER'
    adds: {
      tls: { default: false; ports: '5223/tcp'; exports: 'XMPP_TLS_SERVER' }
      http: { default: false; ports: '5280/tcp'; exports: 'XMPP_BOSH_URL' | 'XMPP_WEBSOCKET_URL' }
    }
    options: {
      /** What stands behind the @ of its addresses. Rooms are at conference.DOMAIN. */
      readonly domain?: string | undefined
      /** Who has an account. */
      readonly user?: string | undefined
      /** The password of that account. */
      readonly password?: SecretSource | undefined
      /** More accounts. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Let everyone make an account (XEP-0077). */
      readonly registration?: boolean | undefined
      /** BOSH at /http-bind and WebSocket at /xmpp-websocket of port 5280. */
      readonly http?: boolean | undefined
      /** STARTTLS at port 5222, and TLS from the first byte on at 5223, with a certificate for the domain. */
      readonly tls?: boolean | undefined
    }
  }
  rabbitmq: {
    ports: '5672/tcp' | '15672/tcp'
    exports: 'AMQP_URL' | 'RABBITMQ_MANAGEMENT_URL' | 'RABBITMQ_USER' | 'RABBITMQ_PASSWORD'
    adds: {
      tls: { default: false; ports: '5671/tcp'; exports: never }
    }
    options: {
      /** The administrator. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything in every virtual host, and administer nothing. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Virtual hosts beside /. */
      readonly vhosts?: readonly string[] | undefined
      /** Definitions as RabbitMQ exports them (JSON): exchanges, queues, bindings, policies and more. A file, or a folder of them. */
      readonly seed?: string | undefined
      /** More lines of rabbitmq.conf, such as heartbeat = 5. */
      readonly settings?: readonly string[] | undefined
      /** AMQP over TLS too, at port 5671. */
      readonly tls?: boolean | undefined
    }
  }
  redis: {
    ports: '6379/tcp'
    exports: 'REDIS_URL'
    adds: {
      tls: { default: false; ports: '6380/tcp'; exports: 'REDIS_TLS_URL' }
    }
    options: {
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of the default user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** How many databases there are. */
      readonly databases?: number | undefined
      /** Where it begins to evict keys or to refuse writes, such as 64mb. Default: three quarters of its memory limit. */
      readonly maxMemory?: string | undefined
      /** What goes when the memory is full. */
      readonly evict?: 'noeviction' | 'allkeys-lru' | 'allkeys-lfu' | 'volatile-lru' | 'volatile-ttl' | undefined
      /** Write what changes to an append-only file, as a server that must not forget does. */
      readonly persist?: boolean | undefined
      /** Run as a cluster of one node, which has all slots. There is one database then. */
      readonly cluster?: boolean | undefined
      /** Speak TLS too, at port 6380. */
      readonly tls?: boolean | undefined
      /** A file of commands, one a line as for redis-cli, that it starts with. */
      readonly seed?: string | undefined
    }
  }
  rsyslog: {
    ports: '514/udp' | '514/tcp'
    exports: 'SYSLOG_HOST' | 'SYSLOG_UDP_PORT' | 'SYSLOG_TCP_PORT'
    adds: {
      tls: { default: false; ports: '6514/tcp'; exports: never }
    }
    options: {
      /** What it writes of a message: the line that syslog files have, or JSON with all its parts. */
      readonly format?: 'line' | 'json' | undefined
      /** The longest message, such as 8k. */
      readonly maxMessageSize?: string | undefined
      /** Syslog over TLS too, at port 6514. */
      readonly tls?: boolean | undefined
    }
  }
  samba: {
    ports: '445/tcp'
    exports: 'SMB_URL' | 'SMB_SERVER' | 'SMB_SHARE' | 'SMB_USER' | 'SMB_PASSWORD'
    adds: {
      netbios: { default: false; ports: '139/tcp'; exports: never }
    }
    options: {
      /** Who may log in. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The name of the share. */
      readonly share?: string | undefined
      /** A folder of files that the share begins with. */
      readonly seed?: string | undefined
      /** More shares, each with a folder of its own. */
      readonly shares?: readonly string[] | undefined
      /** A folder with a folder for each of `shares`, of the files that it begins with. */
      readonly seeds?: string | undefined
      /** Let nobody change the files. */
      readonly readOnly?: boolean | undefined
      /** Let anyone read the files, without a login, as the share `public`. */
      readonly public?: boolean | undefined
      /** Who is taken for a guest, whom `public` serves: nobody, an unknown user, or a wrong password, too. */
      readonly guests?: 'never' | 'badUser' | 'badPassword' | undefined
      /** Port 139 too, for sessions of NetBIOS. */
      readonly netbios?: boolean | undefined
      /** Take nothing to or from the share that is not encrypted (SMB 3). */
      readonly encrypt?: boolean | undefined
    }
  }
  snmpd: {
    ports: '161/udp'
    exports: 'SNMP_ADDRESS' | 'SNMP_USER' | 'SNMP_PASSWORD' | 'SNMP_COMMUNITY'
    adds: object
    options: {
      /** Who may read by SNMP v3. */
      readonly user?: string | undefined
      /** The password of `user`, at least 8 characters; SHA for authentication, AES for privacy. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The community that may read by SNMP v2c. */
      readonly community?: SecretSource | undefined
      /** Users and the community may set values, too. */
      readonly writable?: boolean | undefined
      /** sysName. */
      readonly name?: string | undefined
      /** sysLocation. */
      readonly location?: string | undefined
      /** sysContact. */
      readonly contact?: string | undefined
      /** A file of lines for snmpd.conf, such as `override` of an object with a value. */
      readonly seed?: string | undefined
    }
  }
  squid: {
    ports: '3128/tcp' | '3129/tcp' | '3130/tcp'
    exports: 'PROXY_URL' | 'PROXY_PASSWORD_URL' | 'PROXY_NTLM_URL'
    adds: {
      tls: { default: false; ports: '3131/tcp'; exports: 'PROXY_TLS_URL' }
    }
    options: {
      /** Who may use the port with a password. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, who may do the same. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** A fourth port, 3131, for who speaks TLS to the proxy; it asks for a password. */
      readonly tls?: boolean | undefined
      /** More domains that servers of the fleet have, besides the fleet's own. */
      readonly domains?: readonly string[] | undefined
      /** What it says of everything outside the fleet: 403, or 503 as for a host that is not found or not reached. */
      readonly outside?: 'forbidden' | 'unreachable' | undefined
      /** Keep a connection whose client is asked for NTLM; otherwise close it. */
      readonly ntlmKeepAlive?: boolean | undefined
      /** A file of directives, read before the rules that keep it within the fleet. */
      readonly configuration?: string | undefined
    }
  }
  tftpd: {
    ports: '69/udp'
    exports: 'TFTP_HOST' | 'TFTP_PORT'
    adds: object
    options: {
      /** The files that it has. */
      readonly seed?: string | undefined
      /** Take files from everyone; nothing of the seed is replaced. */
      readonly writable?: boolean | undefined
      /** The largest block that it agrees to, in bytes. */
      readonly blockSize?: number | undefined
    }
  }
  vsftpd: {
    ports: '21/tcp'
    exports: 'FTP_URL' | 'FTP_USER' | 'FTP_PASSWORD'
    adds: object
    options: {
      /** Who may log in. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, each with a folder of their own. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Let anyone in, as anonymous. */
      readonly anonymous?: boolean | undefined
      /** Ask anonymous for a password, and take any (331 before 230). */
      readonly anonymousPassword?: boolean | undefined
      /** What it says first, after 220. Default: vsftpd's own, with its version. */
      readonly banner?: string | undefined
      /** Take AUTH TLS, from users and from anyone (FTPES). */
      readonly tls?: boolean | undefined
      /** With tls: take no password and no data without it. */
      readonly requireTls?: boolean | undefined
      /** The address that PASV names, such as 127.0.0.1. Default: the server's own. */
      readonly passiveAddress?: string | undefined
      /** How many ports, from 30000 on, data connections go to. */
      readonly passivePorts?: number | undefined
      /** A folder of files for /pub, which anyone may read. */
      readonly seed?: string | undefined
      /** A folder for /, with folders next to /pub; everyone reads what everyone may read in it. */
      readonly root?: string | undefined
      /** A folder of files that each user's folder begins with. */
      readonly home?: string | undefined
    }
  }
}
