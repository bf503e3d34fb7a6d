local counters = tonumber(ARGV[3])
for i = 1, counters do
  redis.call('HINCRBY', KEYS[3], ARGV[2 * i + 2], ARGV[2 * i + 3])
end
local report = 2 * counters + 4
redis.call('LPUSH', KEYS[1], ARGV[report])
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
for i = #ARGV, report + 1, -1 do
  redis.call('LPUSH', KEYS[2], ARGV[i])
end
redis.call('LTRIM', KEYS[2], 0, ARGV[2] - 1)
return 1
