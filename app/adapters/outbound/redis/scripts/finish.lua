-- What finishing an entry takes: it is acknowledged and counted, and the stream trimmed behind what every group has
-- finished. XACK comes first: a Redis whose memory is full refuses HINCRBY and XADD, but not behind a write that it let
-- through. An entry's id says when it was appended. A wait beyond what Redis counts (of an entry made by hand) is left
-- out.
local stream, figures, group = KEYS[1], KEYS[2], ARGV[1]
local now, timed, waited = now_ms(), 0, 0

local function finish(id, activities, bytes)
  if redis.call('XACK', stream, group, id) == 0 then return false end
  redis.call('HINCRBY', figures, 'settled', activities)
  redis.call('HINCRBY', figures, 'settled_bytes', bytes)
  timed = timed + activities
  waited = waited + activities * math.max(0, now - tonumber(string.match(id, '%d+')))
  return true
end

local function note_wait()
  if timed == 0 then return end
  local noted = redis.pcall('HINCRBY', figures, 'waited_ms', string.format('%.0f', waited))
  if type(noted) == 'number' then redis.call('HINCRBY', figures, 'timed', string.format('%.0f', timed)) end
end

local function oldest_unfinished(reader_group)
  if reader_group.pending > 0 then
    return string.match(redis.call('XPENDING', stream, reader_group.name)[2], '(%d+)-(%d+)')
  end
  local ms, number = string.match(reader_group['last-delivered-id'], '(%d+)-(%d+)')
  return ms, number + 1
end

local function trim()
  if redis.call('EXISTS', stream) == 0 then return end
  local oldest_ms, oldest_number = math.huge, math.huge
  for _, facts in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local ms, number = oldest_unfinished(by_name(facts))
    ms, number = tonumber(ms), tonumber(number)
    if ms < oldest_ms or ms == oldest_ms and number < oldest_number then oldest_ms, oldest_number = ms, number end
  end
  if oldest_ms < math.huge then
    redis.call('XTRIM', stream, 'MINID', string.format('%.0f-%.0f', oldest_ms, oldest_number))
  end
end
