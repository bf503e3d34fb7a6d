-- It reads first and writes last, so that a Redis that refuses to write still tells its figures.
local figures, dead, stream, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

local function last_delivered()
  for _, facts in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local reader_group = by_name(facts)
    if reader_group.name == group then return reader_group['last-delivered-id'] end
  end
end

local function oldest_id()
  local pending = redis.pcall('XPENDING', stream, group)
  if not pending.err and pending[1] > 0 then return pending[2] end
  local taken = not pending.err and last_delivered()
  local entry = redis.call('XRANGE', stream, taken and '(' .. taken or '-', '+', 'COUNT', 1)[1]
  return entry and entry[1]
end

local counts = redis.call('HMGET', figures, 'accepted', 'duplicates', 'settled', 'accepted_bytes', 'settled_bytes',
  'buried', 'retried', 'waited_ms', 'timed')
for i = 1, 9 do counts[i] = counts[i] or '0' end
counts[10] = redis.call('XLEN', dead)
local id, now = oldest_id(), now_ms()
counts[11] = id and math.max(0, now - tonumber(string.match(id, '%d+'))) or 0
local written = redis.pcall('HSET', figures, 'looked_at', string.format('%.0f', now))
counts[12] = type(written) == 'table' and written.err or ''
return counts
