modules_enabled = {
	"accounts", "bosh", "csi_simple", "disco", "ping", "posix", "register_ibr", "roster", "saslauth", "smacks", "time", "tls",
	"version", "websocket",
}
modules_disabled = { "s2s" }
interfaces = { "*" }
component_interfaces = { "*" }
http_interfaces = { "*" }
https_interfaces = { "*" }
data_path = "/data"
plugin_paths = { "/usr/local/lib/prosody/modules" }
log = { info = "*console" }
allow_registration = true
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
c2s_direct_tls_ports = { 5223 }
consider_websocket_secure = true
consider_bosh_secure = true
authentication = "internal_plain"
ssl = { key = "/run/testfleet/tls/key.pem", certificate = "/run/testfleet/tls/cert.pem" }
https_ssl = ssl

VirtualHost "localhost"

Component "component.localhost"
component_secret = "mysecretcomponentpassword"

VirtualHost "anon.localhost"
authentication = "anonymous"
modules_disabled = { "accounts" }
