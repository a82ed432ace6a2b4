-- An account for each secret, before the first client is answered. An account that cannot be made ends the server.
local create_user = require "core.usermanager".create_user
local lfs = require "lfs"

local folder = "/run/secrets/"

local function add(name, file)
	local secret = assert(io.open(folder .. file, "rb"))
	local password = secret:read("a")
	secret:close()
	assert(create_user(name, password, module.host))
end

local function add_all()
	for file in lfs.dir(folder) do
		local name = file:match("^user%.(.+)$")
		if name then add(name, file) end
	end
	add(os.getenv("XMPP_USER"), "PASSWORD")
end

module:hook_global("server-started", function ()
	local ok, why = pcall(add_all)
	if ok then return end
	module:log("error", "cannot make the accounts: %s", why)
	os.exit(1)
end)
