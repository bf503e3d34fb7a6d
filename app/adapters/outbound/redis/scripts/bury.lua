if finish(ARGV[2], ARGV[3], ARGV[4]) then
  redis.call('XADD', KEYS[3], '*', 'entry', ARGV[2], unpack(ARGV, 6))
  redis.call('HINCRBY', figures, 'buried', ARGV[5])
end
note_wait()
trim()
return 1
