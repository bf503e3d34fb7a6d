-- A Redis that is full refuses HSET and takes XTRIM, which is what it needs then: the first may fail. The entry that a
-- position names stays, so that it can be told from another one.
local head, log, consumers = unpack(KEYS)
local at_head = redis.call('HMGET', head, 'epoch', 'sequence')
local function sequence_of(position)
  local epoch, sequence = string.match(position, '^(%d+)-(%d+)$')
  return epoch == at_head[1] and tonumber(sequence) or 0
end
redis.pcall('HSET', consumers, ARGV[1], ARGV[2])
if not at_head[1] then return 0 end
local needless = math.min(sequence_of(ARGV[2]) - 1, tonumber(at_head[2]) - tonumber(ARGV[3]))
local stored = redis.call('HGETALL', consumers)
for i = 1, #stored, 2 do
  if stored[i] ~= ARGV[1] then needless = math.min(needless, sequence_of(stored[i + 1]) - 1) end
end
if needless < 1 then return 0 end
return redis.call('XTRIM', log, 'MINID', '~', at_head[1] .. '-' .. string.format('%.0f', needless + 1))
