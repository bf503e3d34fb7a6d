-- The ids, 16 bytes each, the sizes of the values, 4 bytes each, and the values, all in one order.
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local ids, sizes, values = {}, {}, {}
for at = 1, #found[2], 2 do
  local value = found[2][at + 1]
  ids[#ids + 1] = found[2][at]
  sizes[#sizes + 1] = struct.pack('<I4', #value)
  values[#values + 1] = value
end
return {found[1], table.concat(ids), table.concat(sizes), table.concat(values)}
