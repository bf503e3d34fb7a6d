-- ARGV: the fence, how many are kept of each list, how many stand, and the rows: those that stand, then the mended
-- ones, of which the last comes to stand first. A Redis that is full refuses the first RPUSH: nothing was removed then.
local fence, standing, mended, former = unpack(KEYS)
if redis.call('GET', fence) ~= ARGV[1] then return 0 end
local outdated, last = redis.call('LLEN', standing), 3 + tonumber(ARGV[3])
for i = 4, last do redis.call('RPUSH', standing, ARGV[i]) end
for i = last + 1, #ARGV do redis.call('LPUSH', mended, ARGV[i]) end
redis.call('LTRIM', standing, outdated, -1)
redis.call('LTRIM', mended, 0, ARGV[2] - 1)
redis.call('DEL', former)
return 1
