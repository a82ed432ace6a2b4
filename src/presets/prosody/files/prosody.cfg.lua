-- Options come as ENV_ variables: a value is a text here, never a part of this program.
local modules = {
	"accounts", "blocklist", "bookmarks", "carbons", "csi_simple", "disco", "pep", "ping", "posix", "private", "roster",
	"saslauth", "smacks", "time", "user_account_management", "vcard4", "vcard_legacy", "version",
}
-- No word leaves this server for another.
modules_disabled = { "s2s" }

interfaces = { "*" }
data_path = "/data"
plugin_paths = { "/usr/local/lib/prosody/modules" }
authentication = "internal_hashed"
c2s_require_encryption = false
-- Whoever stops it does not wait until each client has said goodbye.
c2s_close_timeout = 0
log = { info = "*console" }

if ENV_XMPP_TLS then
	table.insert(modules, "tls")
	ssl = { key = "/run/testfleet/tls/key.pem", certificate = "/run/testfleet/tls/cert.pem" }
	c2s_direct_tls_ports = { 5223 }
end
if ENV_XMPP_REGISTRATION then
	table.insert(modules, "register_ibr")
	allow_registration = true
end
if ENV_XMPP_HTTP then
	table.insert(modules, "bosh")
	table.insert(modules, "websocket")
	http_interfaces = { "*" }
	https_ports = {}
	-- Whatever name a client has for it.
	http_default_host = ENV_XMPP_DOMAIN
end
modules_enabled = modules

VirtualHost(ENV_XMPP_DOMAIN)

Component("conference." .. ENV_XMPP_DOMAIN)("muc")
-- A room is there for everyone as soon as somebody enters it.
muc_room_locking = false
muc_room_default_public = true
