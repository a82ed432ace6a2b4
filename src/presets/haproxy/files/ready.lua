-- Ready when as many of the servers as it shall wait for have passed a check; before its first, one counts as up.
local waitFor = os.getenv('HAPROXY_WAIT_FOR')

core.register_service('ready', 'http', function(applet)
  local given, up = 0, 0
  for _, server in pairs(core.backends.servers.servers) do
    local stats = server:get_stats()
    given = given + 1
    if stats.status:match('^UP') and stats.check_status:match('OK$') then up = up + 1 end
  end
  local wanted = ({ all = given, one = math.min(given, 1), none = 0 })[waitFor]
  local answer = string.format('%d of %d servers are up\n', up, given)
  applet:set_status(up >= wanted and 200 or 503)
  applet:add_header('Content-Type', 'text/plain')
  applet:add_header('Content-Length', #answer)
  applet:start_response()
  applet:send(answer)
end)
