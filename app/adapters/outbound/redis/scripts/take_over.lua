-- An entry that somebody deleted by hand is finished. Redis 7 sees to that itself; 6.2 would hand it out for ever.
local stream, group = KEYS[1], ARGV[1]
local found = redis.call('XAUTOCLAIM', stream, group, ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'JUSTID')
local entries = {}
for _, id in ipairs(found[2]) do
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then entries[#entries + 1] = entry else redis.call('XACK', stream, group, id) end
end
return {found[1], entries}
