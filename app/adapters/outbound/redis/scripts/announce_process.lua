redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if not is_alive(all[i + 1], ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
return 1
