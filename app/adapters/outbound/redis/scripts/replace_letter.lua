-- Whoever retries or drops the letter at the same time comes first or not at all.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] then redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2)) end
return 1
