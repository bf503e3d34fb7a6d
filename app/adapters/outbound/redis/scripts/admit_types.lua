-- SADD is the first write: a Redis whose memory is full refuses it, and then nothing has happened.
local types, most, room, refused = KEYS[1], tonumber(ARGV[1]), nil, {}
local asked = {unpack(ARGV, 2)}
for i, known in ipairs(redis.call('SMISMEMBER', types, unpack(asked))) do
  if known == 0 then
    room = room or most - redis.call('SCARD', types)
    if room > 0 then
      room = room - redis.call('SADD', types, asked[i])
    else
      refused[#refused + 1] = asked[i]
    end
  end
end
return refused
