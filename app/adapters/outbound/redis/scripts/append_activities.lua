-- SADD stands before UNLINK: a Redis whose memory is full refuses a script's first write, but nothing behind it.
-- 1000 ids at a time, for Lua hands a function less than 8000 arguments.
local stream, figures = KEYS[1], KEYS[2]
local payload, ids, window = ARGV[1], ARGV[2], tonumber(ARGV[3])

local counts = redis.call('HMGET', figures, 'accepted', 'settled', 'accepted_bytes', 'settled_bytes')
local function backlog(accepted, settled)
  return tonumber(counts[accepted] or 0) - tonumber(counts[settled] or 0)
end
if backlog(1, 2) >= tonumber(ARGV[4]) or backlog(3, 4) >= tonumber(ARGV[5]) then return false end

local now = now_ms()
local number = math.floor(now / window)
local current, before, outdated = KEYS[3 + number % 4], KEYS[3 + (number + 3) % 4], KEYS[3 + (number + 2) % 4]

local function has_any(known)
  for i = 1, #known do
    if known[i] == 1 then return true end
  end
  return false
end

local count, duplicates = #ids / 16, {}
for start = 1, count, 1000 do
  local some = {}
  for i = start, math.min(start + 999, count) do some[i - start + 1] = string.sub(ids, 16 * i - 15, 16 * i) end
  local known = redis.call('SMISMEMBER', current, unpack(some))
  local known_before = redis.call('SMISMEMBER', before, unpack(some))
  if redis.call('SADD', current, unpack(some)) < #some or has_any(known_before) then
    local seen = {}
    for i, id in ipairs(some) do
      if known[i] + known_before[i] > 0 or seen[id] then duplicates[#duplicates + 1] = start + i - 2 end
      seen[id] = true
    end
  end
end

if #duplicates < count then
  local entry = {'n', count - #duplicates, 'b', #payload, 'd', payload}
  if #duplicates > 0 then
    entry[7], entry[8] = 'skip', table.concat(duplicates, ',')
  end
  if ARGV[6] then
    entry[#entry + 1], entry[#entry + 2] = 't', ARGV[6]
  end
  redis.call('XADD', stream, '*', unpack(entry))
  redis.call('HINCRBY', figures, 'accepted', count - #duplicates)
  redis.call('HINCRBY', figures, 'accepted_bytes', #payload)
end
if #duplicates > 0 then redis.call('HINCRBY', figures, 'duplicates', #duplicates) end

local needed_until = (number + 2) * window
if redis.call('PTTL', current) < needed_until - now then
  redis.call('PEXPIREAT', current, string.format('%.0f', needed_until + window))
end
redis.call('UNLINK', outdated)
return duplicates
