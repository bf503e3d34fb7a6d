local found = {}
for _, said in ipairs(redis.call('HVALS', KEYS[1])) do
  if is_alive(said, ARGV[1]) then found[#found + 1] = string.match(said, ' (.*)$') end
end
return found
