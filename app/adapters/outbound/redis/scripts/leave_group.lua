-- A reader with pending entries must stay: they would be gone with it.
local readers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if readers.err then return 0 end
for _, facts in ipairs(readers) do
  local reader = by_name(facts)
  if reader.pending == 0 and (reader.name == ARGV[2] or reader.idle > tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], reader.name)
  end
end
return 1
