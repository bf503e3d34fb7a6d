-- Whether a sign of life, which begins with its instant, is at most `ttl` ms old.
local now = now_ms()
local function is_alive(said, ttl) return now - tonumber(string.match(said, '^%d+')) <= tonumber(ttl) end
