/** Made from src/presets by `node tools/preset-types.ts`. */

/** Source of a secret. */
type SecretSource = { readonly [from in 'env' | 'file' | 'generate' | 'value' | 'outside']?: string | number | boolean }

/**
 * Types of the presets of the catalogue, by name: the ports that they publish, the variables that they export, the additions of
 * each enabled option to both, and the type of each option.
 */
export interface PresetTypes {
  apache2: {
    ports: '80/tcp'
    exports: 'WEB_URL' | 'WEB_USER' | 'WEB_PASSWORD'
    adds: {
      tls: { default: false; ports: '443/tcp'; exports: 'WEB_TLS_URL' }
    }
    options: {
      /** A user who may log in and write. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also serve everything over TLS, at port 443. */
      readonly tls?: boolean | undefined
      /** Answer TRACE requests with the request. */
      readonly trace?: boolean | undefined
      /** A folder of documents in place of the page; its .htaccess files are read. */
      readonly seed?: string | undefined
      /** A folder of documents for /basic/ and /digest/. */
      readonly private?: string | undefined
      /** A folder of programs for /cgi-bin/; all become executable. */
      readonly cgi?: string | undefined
      /** Require no login at /dav/. */
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
      /** The zone, in lower case. */
      readonly zone?: string | undefined
      /** Records of the zone: a name, a type and data, as in a zone file. */
      readonly records?: readonly string[] | undefined
      /** A whole zone file for `zone`, in place of `records`. */
      readonly seed?: string | undefined
      /** The name of the TSIG key for updates and transfers. */
      readonly user?: string | undefined
      /** The key, as plain text. */
      readonly password?: SecretSource | undefined
      /** More TSIG keys with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also answer DNS over TLS, at port 853. */
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
      /** The stratum that it reports: its distance from a true clock. */
      readonly stratum?: number | undefined
      /** The number of the key that clients may use. */
      readonly key?: number | undefined
      /** The key, as plain text, for SHA256. */
      readonly password?: SecretSource | undefined
      /** Also support Network Time Security, with key exchange over TLS at port 4460. */
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
      /** How many resources clients may create with PUT. */
      readonly resources?: number | undefined
      /** The percentage of its datagrams that it drops at random. */
      readonly loss?: number | undefined
      /** Also serve port 5684 for clients with a shared key: DTLS over UDP, TLS over TCP. */
      readonly dtls?: boolean | undefined
      /** The identity of the key. */
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
      /** A user who may relay. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The realm of its users. */
      readonly realm?: string | undefined
      /** Also serve TURN over TLS and DTLS, at port 5349. */
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
      /** A user with a mailbox. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, each with a mailbox. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** STARTTLS at port 143, and TLS from the first byte at port 993. */
      readonly tls?: boolean | undefined
      /** Start each mailbox with one message. */
      readonly welcome?: boolean | undefined
      /** A folder with a folder of messages (*.eml) for each user, delivered in the order of their names. */
      readonly seed?: string | undefined
    }
  }
  danted: {
    ports: '1080/tcp' | '1081/tcp'
    exports: 'SOCKS_URL' | 'SOCKS_PASSWORD_URL'
    adds: object
    options: {
      /** A user for the port with a password. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** More domains of servers of the fleet, in addition to the fleet's own. */
      readonly domains?: readonly string[] | undefined
    }
  }
  dnsmasq: {
    ports: '53/tcp' | '53/udp'
    exports: 'DNS_ADDRESS'
    adds: object
    options: {
      /** Its domain: unknown names in it do not exist; all other names are refused. */
      readonly domain?: string | undefined
      /** Names, each with an address. The address also resolves to the name. */
      readonly hosts?: readonly string[] | undefined
      /** Domains, each with the address of the domain and of all names below it. */
      readonly wildcards?: readonly string[] | undefined
      /** How long clients may cache its answers, in seconds. */
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
      /** A user who may pull and push. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Accept no new images: it serves only its seed. */
      readonly readOnly?: boolean | undefined
      /** The data folder of another registry of this kind: the folder that contains docker/registry/v2. */
      readonly seed?: string | undefined
      /** Speak only TLS at its port. */
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
      /** Also serve port 19, which sends data without end. */
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
      /** A file with one pair on each line: the key, a space, the value. */
      readonly seed?: string | undefined
      /** Speak only TLS at its port. */
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
      /** The port that never answers. */
      readonly drop?: number | undefined
      /** The port that answers that access is prohibited. */
      readonly prohibit?: number | undefined
    }
  }
  freeradius: {
    ports: '1812/udp' | '1813/udp'
    exports: 'RADIUS_ADDRESS' | 'RADIUS_SECRET' | 'RADIUS_USER' | 'RADIUS_PASSWORD'
    adds: object
    options: {
      /** A user who is accepted. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users who are accepted. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The secret that it shares with every client. */
      readonly secret?: SecretSource | undefined
      /** Attributes, each with a value, that it sends to accepted users. */
      readonly reply?: readonly string[] | undefined
      /** A file of users with their attributes, in the format of FreeRADIUS's `users`. */
      readonly seed?: string | undefined
    }
  }
  'ftp-proxy': {
    ports: '2121/tcp'
    exports: 'FTP_PROXY_URL'
    adds: object
    options: {
      /** The FTP server for users who name none. */
      readonly server?: string | undefined
      /** The address that PASV names, such as 127.0.0.1. Default: the proxy's own. */
      readonly passiveAddress?: string | undefined
      /** How many ports data connections use, from 30100 on. */
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
      /** The servers behind it, such as web1:80; without any, it answers 503. */
      readonly servers?: readonly string[] | undefined
      /** Which protocol it forwards. */
      readonly mode?: 'http' | 'tcp' | undefined
      /** The next server: each in turn, the one with the fewest connections, or always the same for a client. */
      readonly balance?: 'roundrobin' | 'leastconn' | 'source' | undefined
      /** A path that a server must answer with 2xx or 3xx to be up; default: it accepts a connection. */
      readonly check?: string | undefined
      /** How many of the servers must be up before it is ready. */
      readonly waitFor?: 'all' | 'one' | 'none' | undefined
      /** A user who may see the statistics. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also accept TLS at port 443, and forward its content. */
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
      /** A user who may register and call. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The realm of logins. */
      readonly realm?: string | undefined
      /** Also speak TLS, at port 5061. */
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
      /** Principals of services, such as HTTP/web.example.test, with random keys in /srv/keytabs/services.keytab. */
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
      /** The domain for which it accepts mail, in lower case. */
      readonly domain?: string | undefined
      /** The name of the mailbox. */
      readonly user?: string | undefined
      /** The password of that mailbox. */
      readonly password?: SecretSource | undefined
      /** More mailboxes. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The largest message, in bytes. */
      readonly maxSize?: number | undefined
      /** STARTTLS at the plain ports, and TLS at 465 (SMTP), 993 (IMAP) and 995 (POP3). */
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
      /** A user who may do everything in the database. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The name of the database. */
      readonly database?: string | undefined
      /** Whether `user` may do everything on the server. */
      readonly superuser?: boolean | undefined
      /** An SQL file, or a folder of .sql files in the order of their names, run before the port is open. */
      readonly seed?: string | undefined
      /** How text is compared and sorted. */
      readonly collation?: string | undefined
      /** The highest number of connections at the same time. */
      readonly maxConnections?: number | undefined
      /** Wait until data is on the disk, so that a loss of power loses no data. */
      readonly durable?: boolean | undefined
      /** More settings, such as sql_mode=ANSI. */
      readonly settings?: readonly string[] | undefined
      /** Also offer TLS, at the same port. */
      readonly tls?: boolean | undefined
    }
  }
  memcached: {
    ports: '11211/tcp'
    exports: 'MEMCACHED_SERVERS'
    adds: object
    options: {
      /** Users for memcached's login in its text protocol. Default: everyone, without a password. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** How many megabytes of values it stores. */
      readonly memory?: number | undefined
      /** The largest value, such as 2m; at most half of the memory. */
      readonly maxItemSize?: string | undefined
      /** The highest number of connections at the same time. */
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
      /** A user who may do everything. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything, or what `acl` allows. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also accept clients without a name. */
      readonly anonymous?: boolean | undefined
      /** An access control list in the format of acl_file of mosquitto.conf, for all users. */
      readonly acl?: string | undefined
      /** Keep retained messages and sessions on the disk. */
      readonly persist?: boolean | undefined
      /** The largest packet, in bytes. Default: the protocol's limit. */
      readonly maxPacketSize?: number | undefined
      /** Also serve MQTT over TLS, at port 8883. */
      readonly tls?: boolean | undefined
    }
  }
  nats: {
    ports: '4222/tcp' | '8222/tcp'
    exports: 'NATS_URL' | 'NATS_MONITORING_URL'
    adds: object
    options: {
      /** A user who may do everything. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, who may do everything. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Keep streams (JetStream), on the disk. */
      readonly jetstream?: boolean | undefined
      /** The largest message, in bytes. */
      readonly maxPayload?: number | undefined
      /** Also offer TLS, at the same port. */
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
      /** A user who may see the private pages. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also serve everything over TLS, at port 443. */
      readonly tls?: boolean | undefined
      /** List a folder that has no index page. */
      readonly autoindex?: boolean | undefined
      /** A folder of documents in place of the page. */
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
      /** The suffix of all names. */
      readonly suffix?: string | undefined
      /** The password of the administrator, cn=admin,SUFFIX. */
      readonly password?: SecretSource | undefined
      /** People: uid=NAME,ou=people,SUFFIX, each an inetOrgPerson whose mail address is NAME at the suffix's domain. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Everyone may read everything except passwords. With false, only users who have logged in may. */
      readonly anonymous?: boolean | undefined
      /** Overlays of the database, in this order, such as memberof, refint, unique, ppolicy or syncprov. */
      readonly overlays?: readonly string[] | undefined
      /** More modules to load. Modules of `overlays` are always loaded. */
      readonly modules?: readonly string[] | undefined
      /** More schemas of the package. */
      readonly schemas?: readonly string[] | undefined
      /** More lines of slapd.conf before the database, such as `password-hash {SSHA512}`. */
      readonly globalSettings?: readonly string[] | undefined
      /** More lines for the database and its overlays, such as `unique_uri ldap:///?mail?sub`. */
      readonly settings?: readonly string[] | undefined
      /** Whether clients need a certificate (TLSVerifyClient). */
      readonly clientCertificates?: 'never' | 'allow' | 'try' | 'demand' | undefined
      /** LDIF below the suffix: a file, or a folder of .ldif files in the order of their names. */
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
      /** A user who may log in. */
      readonly user?: string | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users who may log in. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The public keys of users, by name, such as alice: { file: alice.pub }; each a file of authorized_keys. */
      readonly authorizedKeys?: { readonly [user in string]: SecretSource } | undefined
      /** Accept passwords. With false, only keys are accepted. */
      readonly passwords?: boolean | undefined
      /** Only SFTP: no shell and no commands. */
      readonly sftpOnly?: boolean | undefined
      /** Files that are copied into each home directory. */
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
      /** The owner of the database, who may create more databases. */
      readonly user?: string | undefined
      /** Ask for a name and a password. With false, everyone may do everything. */
      readonly login?: boolean | undefined
      /** The password of `user`. */
      readonly password?: SecretSource | undefined
      /** More users, each a member of `user` with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The name of the database. */
      readonly database?: string | undefined
      /** Whether `user` may do everything on the server. */
      readonly superuser?: boolean | undefined
      /** Extensions of the database, such as pgcrypto, created before the seed. */
      readonly extensions?: readonly string[] | undefined
      /** An SQL file, or a folder of .sql files in the order of their names, that `user` runs before the port is open. */
      readonly seed?: string | undefined
      /** The highest number of connections at the same time. */
      readonly maxConnections?: number | undefined
      /** Wait until data is on the disk, so that a loss of power loses no data. */
      readonly durable?: boolean | undefined
      /** More settings, such as log_statement=all. */
      readonly settings?: readonly string[] | undefined
      /** Also offer TLS, at the same port. */
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
      /** The domain of its addresses, after the @. Rooms are at conference.DOMAIN. */
      readonly domain?: string | undefined
      /** A user with an account. */
      readonly user?: string | undefined
      /** The password of that account. */
      readonly password?: SecretSource | undefined
      /** More accounts. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Everyone may create an account (XEP-0077). */
      readonly registration?: boolean | undefined
      /** BOSH at /http-bind and WebSocket at /xmpp-websocket of port 5280. */
      readonly http?: boolean | undefined
      /** STARTTLS at port 5222, and TLS from the first byte at 5223, with a certificate for the domain. */
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
      /** More users, who may do everything in every virtual host, but are not administrators. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** More virtual hosts, in addition to /. */
      readonly vhosts?: readonly string[] | undefined
      /** Definitions as RabbitMQ exports them (JSON): exchanges, queues, bindings, policies and more. A file, or a folder of them. */
      readonly seed?: string | undefined
      /** More lines of rabbitmq.conf, such as heartbeat = 5. */
      readonly settings?: readonly string[] | undefined
      /** Also serve AMQP over TLS, at port 5671. */
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
      /** The number of databases. */
      readonly databases?: number | undefined
      /** The memory at which it starts to evict keys or refuse writes, such as 64mb. Default: three quarters of its memory limit. */
      readonly maxMemory?: string | undefined
      /** Which keys are evicted when the memory is full. */
      readonly evict?: 'noeviction' | 'allkeys-lru' | 'allkeys-lfu' | 'volatile-lru' | 'volatile-ttl' | undefined
      /** Write all changes to an append-only file. */
      readonly persist?: boolean | undefined
      /** Run as a cluster of one node with all slots and one database. */
      readonly cluster?: boolean | undefined
      /** Also speak TLS, at port 6380. */
      readonly tls?: boolean | undefined
      /** A file of commands for redis-cli, one on each line, run at the start. */
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
      /** How it writes a message: as a line of a syslog file, or as JSON with all parts. */
      readonly format?: 'line' | 'json' | undefined
      /** The longest message, such as 8k. */
      readonly maxMessageSize?: string | undefined
      /** Also receive syslog over TLS, at port 6514. */
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
      /** A user who may log in. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The name of the share. */
      readonly share?: string | undefined
      /** A folder of files with which the share starts. */
      readonly seed?: string | undefined
      /** More shares, each with its own folder. */
      readonly shares?: readonly string[] | undefined
      /** A folder with a folder of initial files for each of `shares`. */
      readonly seeds?: string | undefined
      /** Nobody may change the files. */
      readonly readOnly?: boolean | undefined
      /** Everyone may read the files without a login, as the share `public`. */
      readonly public?: boolean | undefined
      /** Who becomes a guest of `public`: nobody, an unknown user, or also a user with a wrong password. */
      readonly guests?: 'never' | 'badUser' | 'badPassword' | undefined
      /** Also serve NetBIOS sessions, at port 139. */
      readonly netbios?: boolean | undefined
      /** Accept only encrypted access to the share (SMB 3). */
      readonly encrypt?: boolean | undefined
    }
  }
  snmpd: {
    ports: '161/udp'
    exports: 'SNMP_ADDRESS' | 'SNMP_USER' | 'SNMP_PASSWORD' | 'SNMP_COMMUNITY'
    adds: object
    options: {
      /** A user who may read by SNMP v3. */
      readonly user?: string | undefined
      /** The password of `user`, at least 8 characters; SHA for authentication, AES for privacy. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** The community that may read by SNMP v2c. */
      readonly community?: SecretSource | undefined
      /** Users and the community may also set values. */
      readonly writable?: boolean | undefined
      /** The value of sysName. */
      readonly name?: string | undefined
      /** The value of sysLocation. */
      readonly location?: string | undefined
      /** The value of sysContact. */
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
      /** A user for the port with a password. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users with the same rights. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Also serve port 3131 with TLS between client and proxy, and a password. */
      readonly tls?: boolean | undefined
      /** More domains of servers of the fleet, in addition to the fleet's own. */
      readonly domains?: readonly string[] | undefined
      /** The answer for everything outside the fleet: 403, or 503 as for a host that is not found or not reachable. */
      readonly outside?: 'forbidden' | 'unreachable' | undefined
      /** Keep the connection after asking its client for NTLM; with false, close it. */
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
      /** The files that it serves. */
      readonly seed?: string | undefined
      /** Accept files from everyone, except changes to the seed. */
      readonly writable?: boolean | undefined
      /** The largest block that it accepts, in bytes. */
      readonly blockSize?: number | undefined
    }
  }
  vsftpd: {
    ports: '21/tcp'
    exports: 'FTP_URL' | 'FTP_USER' | 'FTP_PASSWORD'
    adds: object
    options: {
      /** A user who may log in. */
      readonly user?: string | undefined
      /** The password of that user. */
      readonly password?: SecretSource | undefined
      /** More users, each with their own folder. */
      readonly users?: { readonly [user in string]: SecretSource } | undefined
      /** Everyone may log in as anonymous. */
      readonly anonymous?: boolean | undefined
      /** Ask anonymous for a password, and accept any (331 before 230). */
      readonly anonymousPassword?: boolean | undefined
      /** The greeting after 220. Default: that of vsftpd, with its version. */
      readonly banner?: string | undefined
      /** Accept AUTH TLS from users and from anonymous (FTPES). */
      readonly tls?: boolean | undefined
      /** Accept passwords and data only over TLS. */
      readonly requireTls?: boolean | undefined
      /** The address that PASV names, such as 127.0.0.1. Default: the server's own. */
      readonly passiveAddress?: string | undefined
      /** How many ports data connections use, from 30000 on. */
      readonly passivePorts?: number | undefined
      /** A folder of files for /pub, which everyone may read. */
      readonly seed?: string | undefined
      /** A folder for /, next to /pub; everyone can read the files that their modes allow. */
      readonly root?: string | undefined
      /** A folder of files with which each user's folder starts. */
      readonly home?: string | undefined
    }
  }
}
